// Command checkmodel writes what check_model.py compares with PyTorch: random
// inputs and initial states, and what the stack of a model file makes of them.
//
//	go run ./testdata/checkmodel MODEL.safetensors OUT.safetensors
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
	"sluice/safetensors"
)

const (
	steps = 17
	rows  = 3
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: checkmodel MODEL.safetensors OUT.safetensors")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "checkmodel:", err)
		os.Exit(1)
	}
}

func write(from, to string) error {
	m, err := model.Open(from)
	if err != nil {
		return err
	}
	net, err := rnn.Plan(m.RNN)
	if err != nil {
		return err
	}
	var params []float32
	for _, t := range m.Tensors() {
		if strings.HasPrefix(t.Name, "rnn.") {
			params = append(params, t.Data...)
		}
	}
	net.Bind(params)

	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	x := random(steps * rows * net.Input)
	if m.Embed == 0 { // what the model reads are one-hot vectors
		clear(x)
		for i := range steps * rows {
			x[i*net.Input+r.IntN(net.Input)] = 1
		}
	}
	start := random(rows * net.StateSize())
	end, y := append([]float32(nil), start...), make([]float32, steps*rows*net.OutputSize())
	rnn.NewRunner(net.Pack(), nn.NewTeam(1)).Forward(y, rnn.Sequence{T: steps, B: rows, F: net.Input, Data: x}, end, nil)

	tensors := []safetensors.Tensor{
		{Name: "x", Shape: []int{steps, rows, net.Input}, Data: x},
		{Name: "y", Shape: []int{steps, rows, net.OutputSize()}, Data: y},
	}
	for i, names := range [][2]string{{"h0", "state"}, {"c0", "cell"}} {
		if i == 1 && net.Cell != "lstm" {
			break
		}
		layers := net.Layers * net.Directions()
		shape := []int{layers, rows, []int{net.HSize(), net.Hidden}[i]}
		tensors = append(tensors,
			safetensors.Tensor{Name: names[0], Shape: shape, Data: vector(net, start, i)},
			safetensors.Tensor{Name: names[1], Shape: shape, Data: vector(net, end, i)})
	}
	return safetensors.WriteFile(to, nil, tensors)
}

// vector takes h, or else c, (L·D, B, its width) out of states (B, StateSize).
func vector(net *rnn.Network, states []float32, i int) []float32 {
	size, layers := net.StateSize(), net.Layers*net.Directions()
	block, from, to := size/layers, 0, net.HSize()
	if i == 1 {
		from, to = to, to+net.Hidden
	}
	var out []float32
	for l := range layers {
		for b := range rows {
			out = append(out, states[b*size+l*block+from:b*size+l*block+to]...)
		}
	}
	return out
}
