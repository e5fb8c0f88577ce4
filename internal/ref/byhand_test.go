package ref

import (
	"fmt"
	"math"
	"testing"
)

// Cells with H = 1 whose every gate is a small fraction, so that a person can
// check them: σ(ln a) = a/(a+1) and tanh(ln a) = (a²−1)/(a²+1). Every gate, and
// every weight of every gate, has a value of its own, so that a swap shows.

var ln = math.Log

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*(1+math.Abs(want))) {
		t.Errorf("%s: %.15g, want %.15g", what, got, want)
	}
}

// byHand makes weights for X = H = 1 with which gate k's preactivation is
// want[k] at x and h, each gate with its own h, while no two
// gates share any weight.
func byHand(biases int, x float64, h, want []float64) Weights {
	var w Weights
	for k := range want {
		wx, wh, bh := 0.5-0.25*float64(k), 0.75+0.5*float64(k), 0.0
		if biases == 2 {
			bh = -0.3 + 0.2*float64(k)
			w.Bh = append(w.Bh, bh)
		}
		w.Wx = append(w.Wx, wx)
		w.Wh = append(w.Wh, wh)
		w.Bx = append(w.Bx, want[k]-x*wx-h[k]*wh-bh)
	}
	return w
}

// checkStep runs the step backward with dh = 1 and dc = 0, and compares with da,
// the preactivations' gradients by hand: Wx's are da·x, Wh's da·hIn, biases' da.
func checkStep(t *testing.T, s *Step, w Weights, hIn, da []float64, dhDirect float64, dhScale []float64) {
	t.Helper()
	g := Weights{Wx: make([]float64, len(da)), Wh: make([]float64, len(da)), Bx: make([]float64, len(da))}
	if w.Bh != nil {
		g.Bh = make([]float64, len(da))
	}
	dx, dh, _ := s.Backward(w, g, []float64{1}, []float64{0})
	wantDX, wantDH := 0.0, dhDirect
	for k := range da {
		near(t, fmt.Sprintf("dWx[%d]", k), g.Wx[k], da[k]*s.X[0])
		near(t, fmt.Sprintf("dWh[%d]", k), g.Wh[k], da[k]*hIn[k])
		near(t, fmt.Sprintf("dbx[%d]", k), g.Bx[k], da[k])
		wantDX += da[k] * w.Wx[k]
		wantDH += da[k] * w.Wh[k] * dhScale[k]
	}
	near(t, "dx", dx[0], wantDX)
	near(t, "dh", dh[0], wantDH)
}

func TestRNNByHand(t *testing.T) {
	for _, biases := range []int{1, 2} {
		x, h := []float64{2}, []float64{-3}
		w := byHand(biases, x[0], h, []float64{ln(2)})
		s := StepForward("rnn_tanh", w, x, h, nil)
		near(t, "tanh(ln 2)", s.H[0], 3./5)
		checkStep(t, s, w, h, []float64{16. / 25}, 0, []float64{1})

		s = StepForward("rnn_relu", w, x, h, nil)
		near(t, "relu(ln 2)", s.H[0], ln(2))
		checkStep(t, s, w, h, []float64{1}, 0, []float64{1})

		w = byHand(biases, x[0], h, []float64{-ln(2)})
		s = StepForward("rnn_relu", w, x, h, nil)
		near(t, "relu(-ln 2)", s.H[0], 0)
		checkStep(t, s, w, h, []float64{0}, 0, []float64{1})
	}
	zero := Weights{Wx: []float64{0}, Wh: []float64{0}, Bx: []float64{0}}
	checkStep(t, StepForward("rnn_relu", zero, []float64{1}, []float64{1}, nil), zero, []float64{1}, []float64{0}, 0, []float64{1})
}

// r = σ(ln 3) = 3/4, z = σ(−ln 2) = 1/3, n = tanh(ln 2) = 3/5, h = 2:
// h' = 2/3 + 2/3·3/5 = 16/15. Backward of dh' = 1:
// dz = 2 − 3/5 = 7/5, daz = 7/5·2/9 = 14/45; dn = 2/3, dan = 2/3·16/25 = 32/75.
const gruDAZ, gruDAN = 14. / 45, 32. / 75

func TestGRUBeforeByHand(t *testing.T) {
	for _, biases := range []int{1, 2} {
		x, h := []float64{-1.5}, []float64{2}
		hIn := []float64{2, 2, 3. / 4 * 2} // n sees r·h
		w := byHand(biases, x[0], hIn, []float64{ln(3), -ln(2), ln(2)})
		s := StepForward("gru_before", w, x, h, nil)
		near(t, "r", s.R[0], 3./4)
		near(t, "z", s.Z[0], 1./3)
		near(t, "n", s.N[0], 3./5)
		near(t, "h'", s.H[0], 16./15)
		// d(r·h) = dan·Whn, dr = that·h, dar = dr·3/16
		dar := gruDAN * w.Wh[2] * 2 * 3 / 16
		checkStep(t, s, w, hIn, []float64{dar, gruDAZ, gruDAN}, 1./3, []float64{1, 1, 3. / 4})
		if biases == 2 {
			near(t, "dbh of n", backBh(s, w)[2], gruDAN)
		}
	}
}

func TestGRUAfterByHand(t *testing.T) {
	for _, biases := range []int{1, 2} {
		x, h := []float64{-1.5}, []float64{2}
		w := byHand(biases, x[0], []float64{2, 2, 2}, []float64{ln(3), -ln(2), 0})
		q := 2 * w.Wh[2]
		if biases == 2 {
			q += w.Bh[2]
		}
		w.Bx[2] = ln(2) - x[0]*w.Wx[2] - 3./4*q // r·(h·Whn + bhn), the bias inside
		s := StepForward("gru_after", w, x, h, nil)
		near(t, "r", s.R[0], 3./4)
		near(t, "z", s.Z[0], 1./3)
		near(t, "q", s.Q[0], q)
		near(t, "n", s.N[0], 3./5)
		near(t, "h'", s.H[0], 16./15)
		// dr = dan·q, dar = dr·3/16; what Whn sees is dan·r
		dar := gruDAN * q * 3 / 16
		checkStep(t, s, w, []float64{2, 2, 3. / 4 * 2}, []float64{dar, gruDAZ, gruDAN}, 1./3, []float64{1, 1, 3. / 4})
		if biases == 2 {
			near(t, "dbh of n", backBh(s, w)[2], 3./4*gruDAN)
		}
	}
}

// backBh returns the gradient of bh for dh = 1.
func backBh(s *Step, w Weights) []float64 {
	z := func() []float64 { return make([]float64, len(w.Bx)) }
	g := Weights{Wx: z(), Wh: z(), Bx: z(), Bh: z()}
	s.Backward(w, g, []float64{1}, nil)
	return g.Bh
}

// TestGRUVariantsDiffer has H = 2, h = (1, 1), r = (3/4, 1/4) and a Whn that
// swaps its inputs: before, the candidates see (1/4, 3/4); after, (3/4, 1/4).
func TestGRUVariantsDiffer(t *testing.T) {
	w := Weights{
		Wx: make([]float64, 6),
		Wh: []float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0},
		Bx: []float64{ln(3), -ln(3), 0, 0, 0, 0},
	}
	x, h := []float64{1}, []float64{1, 1}
	before := StepForward("gru_before", w, x, h, nil).N
	after := StepForward("gru_after", w, x, h, nil).N
	near(t, "before n[0]", before[0], math.Tanh(1./4))
	near(t, "before n[1]", before[1], math.Tanh(3./4))
	near(t, "after n[0]", after[0], math.Tanh(3./4))
	near(t, "after n[1]", after[1], math.Tanh(1./4))
}

// i = σ(ln 3) = 3/4, f = σ(ln 4) = 4/5, g = tanh(ln 2) = 3/5, o = σ(−ln 2) = 1/3,
// and c such that c' = 4/5·c + 3/4·3/5 = ln 2: tanh(c') = 3/5, h' = 1/5.
func TestLSTMByHand(t *testing.T) {
	for _, biases := range []int{1, 2} {
		x, h, c := []float64{2}, []float64{-3}, []float64{(ln(2) - 9./20) / (4. / 5)}
		hIn := []float64{-3, -3, -3, -3}
		w := byHand(biases, x[0], hIn, []float64{ln(3), ln(4), ln(2), -ln(2)})
		s := StepForward("lstm", w, x, h, c)
		near(t, "i", s.I[0], 3./4)
		near(t, "f", s.F[0], 4./5)
		near(t, "g", s.G[0], 3./5)
		near(t, "o", s.O[0], 1./3)
		near(t, "c'", s.C[0], ln(2))
		near(t, "h'", s.H[0], 1./5)
		// dc' = o·(1 − 9/25) = 16/75
		dai := 16. / 75 * 3 / 5 * 3 / 16   // dc'·g·i(1−i)
		daf := 16. / 75 * c[0] * 4 / 25    // dc'·c·f(1−f)
		dag := 16. / 75 * 3 / 4 * 16. / 25 // dc'·i·(1−g²)
		dao := 3. / 5 * 2 / 9              // tanh(c')·o(1−o)
		checkStep(t, s, w, hIn, []float64{dai, daf, dag, dao}, 0, []float64{1, 1, 1, 1})

		zero := make([]float64, 4)
		g := Weights{Wx: clone(zero), Wh: clone(zero), Bx: clone(zero), Bh: clone(zero)}
		_, _, dc := s.Backward(w, g, []float64{1}, []float64{2})
		near(t, "dc", dc[0], (2+16./75)*4/5)
	}
}
