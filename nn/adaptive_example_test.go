package nn_test

import (
	"fmt"
	"math"

	"sluice/nn"
)

// An adaptive softmax over ten words: the four most frequent, and two clusters.
// Without weights yet, words of the same cluster are equally probable.
func ExampleAdaptive() {
	team := nn.NewTeam(1)
	defer team.Close()

	softmax, err := nn.NewAdaptive(nn.AdaptiveConfig{In: 16, Classes: 10, Cutoffs: []int{4, 6}, HeadBias: true})
	if err != nil {
		panic(err)
	}
	for _, t := range softmax.Tensors() {
		fmt.Println(t.Name, t.Shape)
	}
	softmax.Pack(team, make([]float32, softmax.Size()))

	var loss nn.AdaptiveLoss
	x := nn.Blocks(make([]float32, 2*16), 2, 16)
	g, dx := make([]float32, softmax.Size()), make([]float32, 2*16)
	nats, count := loss.Gradient(team, softmax, g, dx, x, []int32{0, 9}, 1.0/2)
	fmt.Printf("%.3f nats of %d rows\n", nats, count)

	y, row := nn.Matrix{}.Grow(2, 10), make([]float32, 10)
	loss.LogProbs(team, softmax, y, x, 2)
	y.GetRow(row, 1)
	for _, l := range row {
		fmt.Printf("%.3f ", math.Exp(float64(l)))
	}
	// Output:
	// head.weight [6 16]
	// head.bias [6]
	// tail.0.0.weight [4 16]
	// tail.0.1.weight [2 4]
	// tail.1.0.weight [1 16]
	// tail.1.1.weight [4 1]
	// 4.970 nats of 2 rows
	// 0.167 0.167 0.167 0.167 0.083 0.083 0.042 0.042 0.042 0.042
}
