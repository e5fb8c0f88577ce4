package ref

import (
	"fmt"
	"math"
	"testing"
)

// These tests take the stack apart: whatever a network computes must be what a
// person gets from single layers, in one direction, over single sequences. They
// do not trust the network's own loops, as a finite difference does.

func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s[%d]: %v, want %v", what, i, got[i], want[i])
		}
	}
}

// alone runs stream s of p's net over one sequence, a list of inputs (X), in the
// order given, by StepForward alone. It returns the outputs in that order and
// the final state (S·H).
func alone(n *Net, s int, seq [][]float64, state []float64) (hs [][]float64, final []float64) {
	h, c := state[:n.Hidden], []float64(nil)
	if n.Cell == "lstm" {
		c = state[n.Hidden:]
	}
	for _, x := range seq {
		step := StepForward(n.Cell, n.Weights[s], x, h, c)
		h, c = step.H, step.C
		hs = append(hs, h)
	}
	return hs, append(clone(h), c...)
}

func reversed(seq [][]float64) [][]float64 {
	r := make([][]float64, len(seq))
	for i := range seq {
		r[len(seq)-1-i] = seq[i]
	}
	return r
}

// TestStackIsItsParts compares Y, Final and Trace of every kind of network with
// the same thing put together by hand, sequence by sequence without padding.
func TestStackIsItsParts(t *testing.T) {
	const T, B = 4, 4
	lengths := []int{3, 4, 0, 1}
	for _, cell := range cells {
		for _, dm := range directions {
			t.Run(cell+"/"+dm[0]+dm[1], func(t *testing.T) {
				p := newProblem(7, Net{Cell: cell, Input: 3, Hidden: 2, Layers: 2, Direction: dm[0], Merge: dm[1], Biases: 2}, T, B, lengths)
				n, r := p.net, p.run()
				SH, D, W := n.States()*n.Hidden, n.Dirs(), n.Out()
				wantY := make([]float64, T*B*W)
				for b, length := range lengths {
					var seq [][]float64
					for tm := range length {
						seq = append(seq, p.x[(tm*B+b)*3:][:3])
					}
					for l := range n.Layers {
						outs := make([][][]float64, D)
						for d := range D {
							s := l*D + d
							at := b*n.StateSize() + s*SH
							order := seq
							if dm[0] == "backward" || d == 1 {
								order = reversed(seq)
							}
							hs, final := alone(n, s, order, p.s0[at:at+SH])
							if dm[0] == "backward" || d == 1 {
								hs = reversed(hs)
							}
							same(t, fmt.Sprintf("final of sequence %d, stream %d", b, s), r.Final[at:at+SH], final)
							for tm := range hs {
								same(t, "trace", r.Trace[s].H[(tm*B+b)*2:][:2], hs[tm])
							}
							outs[d] = hs
						}
						seq = joined(dm[1], outs, length)
						if l == 0 {
							for tm := range seq {
								seq[tm] = mul(seq[tm], n.Masks[0][(tm*B+b)*W:][:W])
							}
						}
					}
					for tm := range seq {
						copy(wantY[(tm*B+b)*W:], seq[tm])
					}
				}
				same(t, "Y", r.Y, wantY) // zero past the lengths
			})
		}
	}
}

// joined merges outs, (D) of (length) of (H), by hand.
func joined(merge string, outs [][][]float64, length int) (seq [][]float64) {
	for tm := range length {
		f := outs[0][tm]
		if len(outs) == 1 {
			seq = append(seq, f)
			continue
		}
		b := outs[1][tm]
		switch merge {
		case "concat":
			seq = append(seq, []float64{f[0], f[1], b[0], b[1]})
		case "sum":
			seq = append(seq, []float64{f[0] + b[0], f[1] + b[1]})
		case "average":
			seq = append(seq, []float64{(f[0] + b[0]) / 2, (f[1] + b[1]) / 2})
		case "multiply":
			seq = append(seq, []float64{f[0] * b[0], f[1] * b[1]})
		}
	}
	return seq
}

// TestPaddingIsNeverRead puts NaN into everything past the lengths: nothing may
// change. A sequence of length 0 keeps its state and passes its gradient on.
func TestPaddingIsNeverRead(t *testing.T) {
	const T, B = 4, 4
	lengths := []int{3, 4, 0, 1}
	for _, cell := range cells {
		for _, dm := range directions {
			p := newProblem(3, Net{Cell: cell, Input: 3, Hidden: 2, Layers: 2, Direction: dm[0], Merge: dm[1], Biases: 1}, T, B, lengths)
			r := p.run()
			g := r.Backward(p.dy, p.dFinal)
			for _, v := range [][]float64{p.x, p.dy, p.net.Masks[0]} {
				w := len(v) / (T * B)
				for tb := range T * B {
					for i := range w {
						if tb/B >= lengths[tb%B] {
							v[tb*w+i] = math.NaN()
						}
					}
				}
			}
			r2 := p.run()
			g2 := r2.Backward(p.dy, p.dFinal)
			same(t, "Y", r2.Y, r.Y)
			same(t, "Final", r2.Final, r.Final)
			same(t, "DX", g2.DX, g.DX)
			same(t, "DS0", g2.DS0, g.DS0)
			for s := range g.Weights {
				for i, w := range g.Weights[s].tensors() {
					same(t, w.kind, g2.Weights[s].tensors()[i].data, w.data)
				}
			}
			size := p.net.StateSize()
			same(t, "state of the empty sequence", r.Final[2*size:3*size], p.s0[2*size:3*size])
			same(t, "its gradient", g.DS0[2*size:3*size], p.dFinal[2*size:3*size])
		}
	}
}

// TestNilMeansDefault: nil lengths are all T, a nil s0 is zeros, a nil mask is
// ones, nil gradients are zeros.
func TestNilMeansDefault(t *testing.T) {
	p := newProblem(5, Net{Cell: "lstm", Input: 3, Hidden: 2, Layers: 2, Direction: "bidirectional", Merge: "concat", Biases: 2}, 3, 2, []int{3, 3})
	clear(p.s0)
	clear(p.dFinal)
	for i := range p.net.Masks[0] {
		p.net.Masks[0][i] = 1
	}
	r := p.run()
	g := r.Backward(p.dy, p.dFinal)
	p.net.Masks = nil
	r2 := p.net.Forward(p.x, p.T, p.B, nil, nil)
	g2 := r2.Backward(p.dy, nil)
	same(t, "Y", r2.Y, r.Y)
	same(t, "Final", r2.Final, r.Final)
	same(t, "DX", g2.DX, g.DX)
	same(t, "DS0", g2.DS0, g.DS0)
	same(t, "DX of nothing", r.Backward(nil, nil).DX, make([]float64, len(p.x)))
}

// TestPanics: a shape mistake says what it is.
func TestPanics(t *testing.T) {
	net := Net{Cell: "gru_after", Input: 3, Hidden: 2, Layers: 1, Direction: "forward", Biases: 1}
	for want, run := range map[string]func(*problem){
		"ref: x has 1 values, want 12":            func(p *problem) { p.x = p.x[:1] },
		"ref: s0 has 1 values, want 4":            func(p *problem) { p.s0 = p.s0[:1] },
		"ref: lengths[1] is 3, want 0 to 2":       func(p *problem) { p.lengths = []int{2, 3} },
		`ref: cell "gru"`:                         func(p *problem) { p.net.Cell = "gru" },
		"ref: Weights[0].Bh has 0 values, want 6": func(p *problem) { p.net.Biases = 2 },
		"ref: dy has 1 values, want 8":            func(p *problem) { p.dy = p.dy[:1] },
		`ref: direction ""`:                       func(p *problem) { p.net.Direction = "" },
		`ref: merge ""`:                           func(p *problem) { p.net.Direction = "bidirectional" },
	} {
		p := newProblem(1, net, 2, 2, nil)
		run(p)
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %q", got, want)
				}
			}()
			p.run().Backward(p.dy, p.dFinal)
		}()
	}
}
