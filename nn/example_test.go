package nn_test

import (
	"fmt"
	"math"

	"sluice/nn"
)

// The loss of a batch of three rows over two classes; the second row is
// padding and does not count.
func ExampleCrossEntropy() {
	team := nn.NewTeam(1)
	defer team.Close()

	logits := nn.Blocks([]float32{2, 0, 0, 0, 1, 1}, 3, 2)
	targets := []int32{0, nn.Ignore, 1} // (3)
	loss := nn.CrossEntropy{V: 2}
	const counted = 2
	nats, count := loss.Gradient(team, logits, targets, 1.0/counted)

	fmt.Printf("%.3f nats per row, perplexity %.2f\n", nats/float64(count), math.Exp(nats/float64(count)))
	row := make([]float32, 2)
	for i := range targets {
		logits.GetRow(row, i)
		fmt.Printf("gradient %.2f\n", row)
	}
	// Output:
	// 0.410 nats per row, perplexity 1.51
	// gradient [-0.06 0.06]
	// gradient [0.00 0.00]
	// gradient [0.25 -0.25]
}

// An embedding and a linear layer, forward.
func ExampleLinear() {
	team := nn.NewTeam(1)
	defer team.Close()

	table := []float32{1, 2, 3, 4, 5, 6} // (V 3, F 2)
	x := make([]float32, 2*2)
	embedding := nn.Embedding{F: 2}
	embedding.Forward(team, x, table, []int32{2, 0}, nil)

	linear := nn.NewLinear(2, 1)
	linear.Pack(team, []float32{10, 1}, []float32{0.5})
	y := nn.Matrix{}.Grow(2, 1)
	linear.Forward(team, y, nn.RowMajor(x, 2), 2)
	fmt.Println(x, y.At(0, 0)[0], y.At(1, 0)[0])
	// Output: [5 6 1 2] 56.5 12.5
}

// The mask of a key is the same whatever was drawn before it.
func ExampleRandom_Dropout() {
	var random nn.Random
	mask, again := make([]float32, 8), make([]float32, 4)
	key := nn.Key{Seed: 1, Step: 100, Layer: 0, Row: 3}
	random.Dropout(mask, 0.5, key)
	random.Uint64()
	random.Dropout(again, 0.5, key)
	fmt.Println(mask)
	fmt.Println(again)
	// Output:
	// [0 0 2 2 2 2 2 2]
	// [0 0 2 2]
}
