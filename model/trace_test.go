package model

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"sluice/nn"
)

// Trace is Loss: the same bits of states and sum, and a tape that ends where
// the states do, on any number of threads.
func TestTrace(t *testing.T) {
	for _, spec := range specs() {
		p := newProblem(t, spec)
		end := slices.Clone(p.state)
		want, count := NewRunner(p.m.Pack(), newTeam(t, 1)).Loss(p.b, end)
		for _, threads := range []int{1, 3} {
			run, state := NewRunner(p.m.Pack(), newTeam(t, threads)), slices.Clone(p.state)
			run.Gradient(make([]float32, len(p.m.Params)), p.b, nil, Objective{Dropout: &nn.Key{Seed: 3}}) // leaves masks behind
			tape, nats := run.Trace(p.b, state)
			sum, n := 0.0, 0
			for i, v := range nats {
				if sum += v; p.b.Targets[i] != nn.Ignore {
					n++
				} else if v != 0 {
					t.Errorf("%s: an ignored target costs %v", spec.testName(), v)
				}
			}
			if sum != want || n != count || !same(state, end) {
				t.Fatalf("%s: %v nats of %d, want %v of %d; states the same: %v", spec.testName(), sum, n, want, count, same(state, end))
			}
			h := make([]float32, tape.Width("h"))
			size := len(state) / p.b.B
			for row := range p.b.B {
				for l := range spec.RNN.Layers {
					at := row*size + l*size/spec.RNN.Layers
					if !same(tape.At(h, l, 0, "h", p.b.T-1, row), end[at:at+len(h)]) {
						t.Fatalf("%s: the tape's last h of row %d, layer %d is not the state at the end", spec.testName(), row, l)
					}
				}
			}
		}
	}
}

// TraceGradient is what differences of the reference's loss say, as the state
// some steps before the end moves.
func TestTraceGradient(t *testing.T) {
	const steps, rows, move = 3, 2, 1.0 / (1 << 10)
	worst := 0.0
	for _, spec := range specs() {
		if strings.Contains(spec.RNN.Activation, "hard_sigmoid") {
			continue // has kinks within a move
		}
		p := newProblem(t, spec)
		b := Batch{T: steps, B: rows, IDs: p.b.IDs[:steps*rows], Targets: p.b.IDs[8:][:steps*rows]}
		size := p.m.RNN.StateSize()
		start := p.state[:rows*size]
		var got [][]float32
		if err := NewRunner(p.m.Pack(), newTeam(t, 2)).TraceGradient(b, start, func(k int, d []float32) error {
			if k != len(got) {
				t.Fatalf("%s: k is %d, want %d", spec.testName(), k, len(got))
			}
			got = append(got, slices.Clone(d))
			return nil
		}); err != nil || len(got) != steps+1 {
			t.Fatalf("%s: %d gradients, error %v", spec.testName(), len(got), err)
		}
		for k := 1; k <= steps; k++ {
			before := Batch{T: steps - k, B: rows, IDs: b.IDs[:(steps-k)*rows], Targets: b.Targets[:(steps-k)*rows]}
			state := slices.Clone(start)
			NewRunner(p.m.Pack(), newTeam(t, 1)).Loss(before, state)
			for row := range rows {
				last := Batch{T: k, B: 1, IDs: make([]int32, k), Targets: make([]int32, k)}
				for i := range k {
					last.IDs[i], last.Targets[i] = b.IDs[(steps-k+i)*rows+row], nn.Ignore
				}
				last.Targets[k-1] = b.Targets[(steps-1)*rows+row]
				diff, largest := 0.0, 0.0
				s := state[row*size : (row+1)*size]
				for i, v := range s {
					s[i] = v + move
					up, _, _ := reference(p.m, last, s, Objective{}, given{})
					high := s[i]
					s[i] = v - move
					down, _, _ := reference(p.m, last, s, Objective{}, given{})
					want := (up - down) / float64(high-s[i])
					s[i] = v
					diff = max(diff, math.Abs(float64(got[k][row*size+i])-want))
					largest = max(largest, math.Abs(want))
				}
				if largest > 0 {
					worst = max(worst, diff/largest)
				}
				if !(diff <= 1e-4*largest) || largest == 0 && spec.RNN.Activation != "relu" { // those units may all rest
					t.Errorf("%s: %d steps before the end, off by %.2g where the largest is %.2g", spec.testName(), k, diff, largest)
				}
			}
		}
	}
	t.Logf("the largest difference is %.1e of the largest gradient", worst)
}

func TestTraceGradientEnds(t *testing.T) {
	p, stop := newProblem(t, gruSpec(3)), errors.New("stop")
	calls := 0
	err := NewRunner(p.m.Pack(), newTeam(t, 1)).TraceGradient(p.b, nil, func(int, []float32) error { calls++; return stop })
	if err != stop || calls != 1 {
		t.Errorf("error %v after %d calls", err, calls)
	}
}
