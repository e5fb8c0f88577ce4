package ref

import (
	"fmt"
	"math"
	"math/rand"
	"testing"
)

// regularise gives p the shares and masks of an option: half of the shares are
// 0 or 1, as masks have them, the others expectations.
func (p *problem) regularise(seed int64, zoneH, zoneC, drop bool) {
	n, rnd := p.net, rand.New(rand.NewSource(seed))
	shares := func(width int) (all [][]float64) {
		for range n.Layers * n.Dirs() {
			m := uniform(rnd, p.T*p.B*width, 0.5)
			for i := range m {
				if m[i] += 0.5; rnd.Intn(2) == 0 {
					m[i] = math.Round(m[i])
				}
			}
			all = append(all, m)
		}
		return all
	}
	if zoneH {
		n.ZoneH = shares(n.Width())
	}
	if zoneC {
		n.ZoneC = shares(n.Hidden)
	}
	for s := 0; s < n.Layers*n.Dirs() && drop; s++ {
		m := make([]float64, len(n.Weights[s].Wh))
		for i := range m {
			if rnd.Float64() >= 0.4 {
				m[i] = 1 / 0.6
			}
		}
		n.WeightMasks = append(n.WeightMasks, m)
	}
}

// TestGradientsOfRegularisers holds the backward of each regulariser, and of all
// at once, against central differences.
func TestGradientsOfRegularisers(t *testing.T) {
	for _, cell := range cells {
		worst := map[string]float64{}
		for i := range 6 * 2 {
			dir := directions[[]int{0, 5}[i%2]]
			lengths := [][]int{{3, 4, 0, 1}, {4, 4, 4, 4}}[i%2]
			all := i/2 == 5
			option := func(k int) bool { return all || i/2 == k }
			t.Run(fmt.Sprintf("%s/%s%s/%d/lengths=%v", cell, dir[0], dir[1], i/2, lengths), func(t *testing.T) {
				net := Net{
					Cell: cell, Input: 3, Hidden: 3, Layers: 2, Direction: dir[0], Merge: dir[1], Biases: 2 - i%2,
					Locked: option(0), LayerNorm: option(4),
				}
				if option(2) && !all && cell != "lstm" {
					t.Skip("there is no c")
				}
				for seed := int64(i + 1); ; seed += 1000 {
					p := newProblem(seed, net, 4, 4, lengths)
					p.regularise(seed, option(1), option(2) && cell == "lstm", option(3))
					if p.usable() {
						p.check(t, worst)
						return
					}
					if seed > 1000*1000 {
						t.Fatal("no seed makes a usable problem")
					}
				}
			})
		}
		t.Log(cell, worst)
	}
}

// N(1, 3) = (−1, 1)·√(1/(1+ε)), and of equal values it is 0.
func TestNormaliseByHand(t *testing.T) {
	hat, deviation := normalise([]float64{1, 3})
	near(t, "deviation", deviation, math.Sqrt(1+1e-5))
	near(t, "first", hat[0], -1/math.Sqrt(1+1e-5))
	near(t, "second", hat[1], 1/math.Sqrt(1+1e-5))
	hat, _ = normalise([]float64{2, 2, 2})
	near(t, "of equal values", hat[1], 0)
}

// An RNN of two units, x = (1, 3) through the identity, h = (5, 4) likewise: the
// norms are −1, 1 and 1, −1 but for ε.
func TestLayerNormByHand(t *testing.T) {
	e := 1 / math.Sqrt(1+1e-5)     // of x: its variance is 1
	f := 0.5 / math.Sqrt(.25+1e-5) // of h: its variance is 1/4
	identity := []float64{1, 0, 0, 1}
	w := Weights{Wx: identity, Wh: identity, Bx: []float64{0.1, 0.2}, Bh: []float64{0.3, 0.4}, GainX: []float64{2, 3}, GainH: []float64{5, 7}}
	s := StepForward("rnn_tanh", w, []float64{1, 3}, []float64{5, 4}, nil)
	near(t, "a[0]", s.A[0], -2*e+5*f+0.4)
	near(t, "a[1]", s.A[1], 3*e-7*f+0.6)
}

// A share of 1 keeps the old state and its gradient, one of 0 the plain step;
// h' of an LSTM is of the c' that the cell made.
func TestZoneoutByHand(t *testing.T) {
	p := newProblem(3, Net{Cell: "lstm", Input: 3, Hidden: 2, Layers: 1, Direction: "forward", Biases: 1}, 1, 1, []int{1})
	plain := p.run()
	p.net.ZoneH, p.net.ZoneC = [][]float64{{1, 0}}, [][]float64{{0.25, 1}}
	r := p.run()
	near(t, "h[0]", r.Y[0], p.s0[0])
	near(t, "h[1]", r.Y[1], plain.Y[1])
	near(t, "c[0]", r.Final[2], 0.25*p.s0[2]+0.75*plain.Final[2])
	near(t, "c[1]", r.Final[3], p.s0[3])
}
