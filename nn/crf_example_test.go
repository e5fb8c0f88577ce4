package nn_test

import (
	"fmt"
	"math"

	"sluice/nn"
)

// Tags O, B and I of one sequence of three steps, where I may only follow B or I:
// the emissions alone would have it begin with I.
func ExampleCRF() {
	team := nn.NewTeam(1)
	defer team.Close()

	const K, T, B = 3, 3, 1
	field := nn.CRF{K: K, Allowed: nn.Allowed{
		Transitions: []bool{true, true, false, true, true, true, true, true, true},
		Start:       []bool{true, true, false},
	}}
	params := nn.CRFParams{Transitions: make([]float32, K*K), Start: make([]float32, K), End: make([]float32, K)}
	emissions := nn.Blocks([]float32{
		0, 1, 2,
		0, 0, 3,
		2, 0, 0,
	}, T*B, K)

	tags := make([]int32, T*B)
	field.Decode(team, tags, params, emissions, T, B, nil)
	nats, count := field.Loss(team, params, emissions, tags, T, B, nil)
	fmt.Println("tags", tags)
	fmt.Printf("probability %.2f of %d tags\n", math.Exp(-nats), count)

	field.Marginals(team, params, emissions, T, B, nil)
	row := make([]float32, K)
	for t := range T {
		emissions.GetRow(row, t)
		fmt.Printf("%.2f\n", row)
	}
	// Output:
	// tags [1 2 0]
	// probability 0.70 of 3 tags
	// [0.03 0.97 0.00]
	// [0.05 0.06 0.89]
	// [0.79 0.11 0.10]
}
