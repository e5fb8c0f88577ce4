package optim_test

import (
	"fmt"
	"math"

	"sluice/nn"
	"sluice/optim"
)

// One update: the gradient is clipped, its norm is looked at, and the schedule
// says how far to go.
func Example() {
	params := []float32{1, 1, 1}
	adam := optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}.New(len(params))
	schedule := optim.Schedule{Kind: "cosine", Rate: 0.1, Warmup: 10, Total: 1000}
	if err := schedule.Validate(); err != nil {
		fmt.Println(err)
		return
	}

	grad := []float32{3, 0, -4}
	team := nn.NewTeam(1)
	defer team.Close()
	norm := optim.ClipNorm(team, grad, 1)
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		fmt.Println("the gradient is not finite: stop")
		return
	}
	_, updates := adam.State()
	lr := schedule.At(updates, 0)
	adam.Update(team, params, grad, lr)

	fmt.Println("norm", norm)
	fmt.Printf("lr %.3f\n", lr)
	fmt.Printf("clipped %.1f\n", grad)
	fmt.Printf("params %.2f\n", params)
	// Output:
	// norm 5
	// lr 0.010
	// clipped [0.6 0.0 -0.8]
	// params [0.99 1.00 1.01]
}

func ExampleSchedule() {
	s := optim.Schedule{Kind: "step", Rate: 0.1, Warmup: 2, Every: 10, Factor: 0.5}
	for _, update := range []int{0, 1, 2, 11, 12, 22} {
		fmt.Printf("%d: %.3f\n", update, s.At(update, 0))
	}
	// Output:
	// 0: 0.050
	// 1: 0.100
	// 2: 0.100
	// 11: 0.100
	// 12: 0.050
	// 22: 0.025
}
