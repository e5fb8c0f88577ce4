package ref

// Run is what a forward pass leaves: the answer, every gate at every step, and
// what Backward needs.
type Run struct {
	Net     *Net
	T, B    int
	Lengths []int     // (B)
	Y       []float64 // (T, B, W) the top layer's outputs; zero past a length
	Final   []float64 // (B, StateSize) the state after each stream's last valid step
	Trace   []Gates   // (L·D) of (T, B, H) each, h with a projection (T, B, P), by place in time whatever the direction; zero past a length, nil if no sequence has a step

	steps [][]*Step   // (L·D) of (T, B); nil past a length
	hs    [][]float64 // (L·D) of (T, B, H or P): h after each step, and after zoneout
}

// Forward runs the stack over x (T, B, X). lengths is (B), nil for all T. s0 is
// (B, StateSize), nil for zeros. A direction that reads from the end begins at a
// sequence's own last step, so its final state is the one after step 0. A
// sequence of length 0 keeps the state it had. Nothing past a length is read.
// x may change afterwards; weights and masks must not change before Backward.
func (n *Net) Forward(x []float64, T, B int, lengths []int, s0 []float64) *Run {
	n.check(x, T, B, lengths, s0)
	r := &Run{Net: n, T: T, B: B, Lengths: make([]int, B), Final: make([]float64, B*n.StateSize())}
	for b := range r.Lengths {
		r.Lengths[b] = T
	}
	copy(r.Lengths, lengths)
	copy(r.Final, s0)

	D := n.Dirs()
	r.steps, r.hs = make([][]*Step, n.Layers*D), make([][]float64, n.Layers*D)
	r.Trace = make([]Gates, n.Layers*D)
	in := clone(x)
	for l := range n.Layers {
		for d := range D {
			r.runLayer(l, d, in)
		}
		r.Y = r.merge(l)
		if l < n.Layers-1 {
			in = r.dropout(l, r.Y)
		}
	}
	return r
}

// runLayer carries every sequence through layer l in direction d. in is
// (T, B, LayerInput(l)). The state is taken from r.Final and left there.
func (r *Run) runLayer(l, d int, in []float64) {
	n := r.Net
	s, H, X := l*n.Dirs()+d, n.Width(), n.LayerInput(l)
	r.steps[s], r.hs[s] = make([]*Step, r.T*r.B), make([]float64, r.T*r.B*H)
	w := n.weights(s)
	for b, length := range r.Lengths {
		h, c := r.state(r.Final, b, s)
		for k := range length {
			tb := n.at(d, k, length)*r.B + b
			step := n.Options.StepForward(n.Cell, w, in[tb*X:(tb+1)*X], clone(h), clone(c))
			r.steps[s][tb] = step
			after := step.Gates
			after.H = zoned(n.ZoneH, s, tb, h, step.H)
			if c != nil {
				after.C = zoned(n.ZoneC, s, tb, c, step.C)
			}
			r.Trace[s].put(after, tb, r.T*r.B)
			copy(h, after.H)
			copy(c, after.C)
			copy(r.hs[s][tb*H:], h)
		}
	}
}

// state returns the h and c (H) of stream s = l·D + d of sample b inside a block
// of states (B, StateSize); c is nil but for the LSTM.
func (r *Run) state(states []float64, b, s int) (h, c []float64) {
	size, H := r.Net.block(), r.Net.Width()
	block := states[b*r.Net.StateSize()+s*size:][:size]
	if r.Net.States() == 1 {
		return block, nil
	}
	return block[:H], block[H:]
}

// zoned returns m ⊙ old + (1 − m) ⊙ made for step tb of stream s, each (H), or
// made where there are no shares.
func zoned(shares [][]float64, s, tb int, old, made []float64) []float64 {
	if shares == nil || shares[s] == nil {
		return made
	}
	y := make([]float64, len(made))
	for j := range y {
		m := shares[s][tb*len(y)+j]
		y[j] = m*old[j] + (1-m)*made[j]
	}
	return y
}

// unzoned splits dy (H), the gradient of what zoned returned, into those of old
// and made.
func unzoned(shares [][]float64, s, tb int, dy []float64) (dOld, dMade []float64) {
	dOld = make([]float64, len(dy))
	if shares == nil || shares[s] == nil {
		return dOld, dy
	}
	dMade = make([]float64, len(dy))
	for j := range dy {
		m := shares[s][tb*len(dy)+j]
		dOld[j], dMade[j] = m*dy[j], (1-m)*dy[j]
	}
	return dOld, dMade
}

// merge joins the directions of layer l into (T, B, W), as the Keras wrapper
// Bidirectional does; concat is Schuster & Paliwal's.
func (r *Run) merge(l int) []float64 {
	n := r.Net
	H, W, D := n.Width(), n.Out(), n.Dirs()
	y := make([]float64, r.T*r.B*W)
	for tb := range r.T * r.B {
		if r.steps[l*D][tb] == nil {
			continue
		}
		out := y[tb*W : (tb+1)*W]
		fwd := r.hs[l*D][tb*H : (tb+1)*H]
		if D == 1 {
			copy(out, fwd)
			continue
		}
		bwd := r.hs[l*D+1][tb*H : (tb+1)*H]
		for j := range H {
			switch n.Merge {
			case "concat":
				out[j], out[H+j] = fwd[j], bwd[j]
			case "sum":
				out[j] = fwd[j] + bwd[j]
			case "average":
				out[j] = (fwd[j] + bwd[j]) / 2
			case "multiply":
				out[j] = fwd[j] * bwd[j]
			}
		}
	}
	return y
}

// dropout returns y (T, B, W) times the mask between layers l and l+1. It is its
// own backward. Nothing past a length is read of the mask.
func (r *Run) dropout(l int, y []float64) []float64 {
	if r.Net.Masks == nil || r.Net.Masks[l] == nil {
		return y
	}
	W := r.Net.Out()
	z := make([]float64, len(y))
	for t := range r.T {
		for b := range r.B {
			if t >= r.Lengths[b] {
				continue
			}
			at := (t*r.B + b) * W
			mask := r.Net.Masks[l][b*W:]
			if !r.Net.Locked {
				mask = r.Net.Masks[l][at:]
			}
			for j := range W {
				z[at+j] = y[at+j] * mask[j]
			}
		}
	}
	return z
}

// put writes the gates of one step, (H) each, at place tb of tr, (T·B, H) each.
func (tr *Gates) put(g Gates, tb, TB int) {
	for _, p := range []struct {
		dst *[]float64
		src []float64
	}{
		{&tr.A, g.A}, {&tr.R, g.R}, {&tr.Z, g.Z}, {&tr.N, g.N}, {&tr.Q, g.Q},
		{&tr.I, g.I}, {&tr.F, g.F}, {&tr.G, g.G}, {&tr.O, g.O},
		{&tr.C, g.C}, {&tr.TanhC, g.TanhC}, {&tr.M, g.M}, {&tr.H, g.H},
	} {
		if p.src == nil {
			continue
		}
		H := len(p.src)
		if *p.dst == nil {
			*p.dst = make([]float64, TB*H)
		}
		copy((*p.dst)[tb*H:(tb+1)*H], p.src)
	}
}

func clone(v []float64) []float64 {
	if v == nil {
		return nil
	}
	return append(make([]float64, 0, len(v)), v...)
}
