package rnn_test

import (
	"fmt"

	"sluice/nn"
	"sluice/rnn"
)

// network is New and Init.
func network(c rnn.Config, seed uint64) *rnn.Network {
	n, err := rnn.New(c)
	if err != nil {
		panic(err)
	}
	if err := n.Init(rnn.Init{}, seed); err != nil {
		panic(err)
	}
	return n
}

// One GRU layer runs forward over a batch, and backward from the gradient of a
// loss; a step against the gradient makes the loss smaller.
func Example() {
	n, err := rnn.New(rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Input: 2, Hidden: 3, Layers: 1, Biases: 2})
	if err != nil {
		panic(err)
	}
	if err := n.Init(rnn.Init{}, 1); err != nil {
		panic(err)
	}
	team := nn.NewTeam(2)
	defer team.Close()

	const T, B = 4, 2
	x := rnn.Sequence{T: T, B: B, F: 2, Data: []float32{
		1, 0, 0, 1, // step 0 of both rows
		0, 1, 1, 0,
		1, 1, 0, 0,
		0, 0, 1, 1,
	}}
	y := make([]float32, T*B*n.OutputSize())
	packed := n.Pack()
	run := rnn.NewRunner(packed, team)

	// The loss is half the sum of y², whose gradient is y itself.
	var tape rnn.Tape
	loss := func() (sum float32) {
		run.Forward(y, x, nil, &tape)
		for _, v := range y {
			sum += v * v / 2
		}
		return sum
	}
	before := loss()
	g := make([]float32, len(n.Params))
	dx := make([]float32, len(x.Data))
	run.Backward(g, dx, y, nil, &tape)

	for i := range n.Params {
		n.Params[i] -= 0.1 * g[i]
	}
	n.Repack(team, packed)
	after := loss()
	fmt.Printf("%d parameters, the loss falls: %v\n", len(n.Params), after < before)
	fmt.Printf("before %.2f, after %.2f\n", before, after)
	// Output:
	// 63 parameters, the loss falls: true
	// before 0.89, after 0.25
}

// A deep bidirectional stack reads rows of their own lengths: the second
// direction begins at a row's own end, and past it outputs are zero.
func ExampleRunner_Forward() {
	n := network(rnn.Config{Cell: "lstm", Input: 8, Hidden: 2, Layers: 2, Biases: 2, Direction: rnn.Bidirectional}, 1)
	team := nn.NewTeam(2)
	defer team.Close()

	// Two rows of symbols, 3 and 1 long. What stands past a length is not read.
	const T, B = 3, 2
	x := rnn.Sequence{T: T, B: B, F: 8, Lengths: []int{3, 1}, IDs: []int32{
		4, 7,
		0, -1,
		2, -1,
	}}
	y := make([]float32, T*B*n.OutputSize())
	state := make([]float32, B*n.StateSize()) // starts from zero
	rnn.NewRunner(n.Pack(), team).Forward(y, x, state, nil)

	for t := range T {
		fmt.Printf("step %d: %5.2f %5.2f\n", t, y[t*B*4:t*B*4+4], y[t*B*4+4:t*B*4+8])
	}
	fmt.Println("a state has", n.StateSize(), "floats: 2 layers × 2 directions × h and c × 2")
	// Output:
	// step 0: [-0.10  0.12 -0.25  0.22] [-0.10  0.11 -0.18  0.12]
	// step 1: [-0.15  0.16 -0.24  0.19] [ 0.00  0.00  0.00  0.00]
	// step 2: [-0.17  0.18 -0.20  0.12] [ 0.00  0.00  0.00  0.00]
	// a state has 16 floats: 2 layers × 2 directions × h and c × 2
}

// A slab holds the states of streams. Each call moves those that are due.
func ExampleRunner_Step() {
	n := network(rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Input: 8, Hidden: 2, Layers: 1, Biases: 2}, 1)
	team := nn.NewTeam(1)
	defer team.Close()
	run := rnn.NewRunner(n.Pack(), team)

	slab := make([]float32, 4*n.StateSize()) // four streams
	y := make([]float32, 2*n.OutputSize())
	run.Step(y, rnn.Sequence{T: 1, B: 2, F: 8, IDs: []int32{5, 6}}, slab, []int32{3, 0}) // stream 3 reads 5, stream 0 reads 6
	run.Step(y[:2], rnn.Sequence{T: 1, B: 1, F: 8, IDs: []int32{1}}, slab, []int32{3})   // stream 3 reads 1

	for stream := range 4 {
		fmt.Printf("stream %d: %5.2f\n", stream, slab[stream*2:stream*2+2])
	}
	// Output:
	// stream 0: [ 0.24 -0.05]
	// stream 1: [ 0.00  0.00]
	// stream 2: [ 0.00  0.00]
	// stream 3: [ 0.53  0.37]
}

// A Tape is the trace of every gate at every step.
func ExampleTape_At() {
	n := network(rnn.Config{Cell: "lstm", Input: 8, Hidden: 3, Layers: 1, Biases: 1}, 1)
	if err := n.Init(rnn.Init{ForgetBias: 2}, 1); err != nil {
		panic(err)
	}
	team := nn.NewTeam(1)
	defer team.Close()

	var tape rnn.Tape
	x := rnn.Sequence{T: 3, B: 1, F: 8, IDs: []int32{5, 1, 6}}
	rnn.NewRunner(n.Pack(), team).Forward(make([]float32, 3*3), x, nil, &tape)
	fmt.Println(tape.Vectors())
	f, c := make([]float32, 3), make([]float32, 3)
	for step := range 3 {
		fmt.Printf("step %d: f %.2f  c %5.2f\n", step, tape.At(f, 0, 0, "f", step, 0), tape.At(c, 0, 0, "c", step, 0))
	}
	// Output:
	// [h c i f g o]
	// step 0: f [0.91 0.90 0.92]  c [ 0.18 -0.11  0.09]
	// step 1: f [0.92 0.90 0.93]  c [ 0.07  0.09 -0.19]
	// step 2: f [0.92 0.87 0.86]  c [ 0.10  0.25 -0.45]
}
