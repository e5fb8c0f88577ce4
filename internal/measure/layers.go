package measure

import (
	"math/rand/v2"
	"strings"

	"sluice/nn"
	"sluice/rnn"
)

// Layers are layers to measure. The letters are those of package rnn.
type Layers struct {
	Cell       string // "lstm", "gru-after", "gru-before"
	B, T, X, H int
	L, D       int
	Weights    nn.Precision // of Train float32 or mixed
}

// Gates is how many the cell has, its candidate among them.
func (l Layers) Gates() int {
	if l.Cell == "lstm" {
		return 4
	}
	return 3
}

// Forward is the number of floating-point operations of the forward pass,
// products only. A backward pass has twice as many.
func (l Layers) Forward() float64 {
	sum, x := 0.0, l.X
	for range l.L {
		sum += 2 * float64(l.T*l.B) * float64(l.Gates()*l.H) * float64((x+l.H)*l.D)
		x = l.H * l.D
	}
	return sum
}

// Config has the two biases that PyTorch has.
func (l Layers) Config() rnn.Config {
	c := rnn.Config{Input: l.X, Hidden: l.H, Layers: l.L, Biases: 2, Direction: rnn.Forward}
	if l.D > 1 {
		c.Direction = rnn.Bidirectional
	}
	cell, reset, _ := strings.Cut(l.Cell, "-")
	c.Cell, c.Reset = cell, rnn.Reset(reset)
	return c
}

func (l Layers) network() (*rnn.Network, error) {
	net, err := rnn.New(l.Config())
	if err != nil {
		return nil, err
	}
	return net, net.Init(rnn.Init{}, 1)
}

// values are n floats in ±1.
func values(n int) []float32 {
	x := make([]float32, n)
	nn.Uniform(x, 1, rand.NewPCG(1, 2))
	return x
}

// Train is a call that packs what the last update changed, runs forward, and
// back with the gradients of the input and of all parameters.
func (l Layers) Train(team *nn.Team) (call func(), err error) {
	net, err := l.network()
	if err != nil {
		return nil, err
	}
	rows, out := l.T*l.B, net.OutputSize()
	x := rnn.Sequence{T: l.T, B: l.B, F: l.X, Data: values(rows * l.X)}
	y, dy, dx := make([]float32, rows*out), values(rows*out), make([]float32, rows*l.X)
	grad := make([]float32, net.Size())
	packed := net.PackAs(l.Weights)
	runner, tape := rnn.NewRunner(packed, team), new(rnn.Tape)
	return func() {
		net.Repack(team, packed)
		runner.Forward(y, x, nil, tape)
		team.Clear(grad)
		runner.Backward(grad, dx, dy, nil, tape)
	}, nil
}

// Infer is a call that runs forward, from weights packed before.
func (l Layers) Infer(team *nn.Team) (call func(), err error) {
	net, err := l.network()
	if err != nil {
		return nil, err
	}
	rows := l.T * l.B
	x := rnn.Sequence{T: l.T, B: l.B, F: l.X, Data: values(rows * l.X)}
	y := make([]float32, rows*net.OutputSize())
	runner := rnn.NewRunner(net.PackAs(l.Weights), team)
	return func() { runner.Forward(y, x, nil, nil) }, nil
}

// Stream is a call that runs one step of one stream, from the state that it was
// left in.
func (l Layers) Stream(team *nn.Team) (call func(), err error) {
	net, err := l.network()
	if err != nil {
		return nil, err
	}
	x := rnn.Sequence{T: 1, B: 1, F: l.X, Data: values(l.X)}
	y, state, rows := make([]float32, net.OutputSize()), make([]float32, net.StateSize()), []int32{0}
	runner := rnn.NewRunner(net.PackAs(l.Weights), team)
	return func() { runner.Step(y, x, state, rows) }, nil
}
