package ref

// Grads are the gradients of a Run.
type Grads struct {
	Weights []Weights // (L·D), the shapes of Net.Weights; Bh is nil with one bias
	DX      []float64 // (T, B, X); zero past a length
	DS0     []float64 // (B, StateSize), also when s0 was nil
}

// Backward takes the gradients of Y, dy (T, B, W), and of Final, dFinal
// (B, StateSize); nil means zeros. What dy holds past a length is not read. It is
// backpropagation through time (Werbos 1990): the steps of Forward, undone in
// the opposite order.
func (r *Run) Backward(dy, dFinal []float64) *Grads {
	n := r.Net
	if dy == nil {
		dy = make([]float64, len(r.Y))
	}
	wantLen("dy", len(dy), len(r.Y))
	g := &Grads{Weights: n.ZeroWeights(), DS0: make([]float64, len(r.Final))}
	if dFinal != nil {
		wantLen("dFinal", len(dFinal), len(r.Final))
		copy(g.DS0, dFinal)
	}
	for l := n.Layers - 1; l >= 0; l-- {
		if l < n.Layers-1 {
			dy = r.dropout(l, dy)
		}
		din := make([]float64, r.T*r.B*n.LayerInput(l))
		for d := range n.Dirs() {
			r.backLayer(g, l, d, r.splitMerge(l, d, dy), din)
		}
		dy = din
	}
	g.DX = dy
	return g
}

// backLayer carries the gradient back through layer l in direction d, last step
// first. dh is (T, B, H), of this direction's outputs. It adds to the gradients
// of the weights and to din (T, B, LayerInput(l)); the gradient of the state is
// taken from g.DS0, where it is that of the final state, and left there as that
// of the initial state.
func (r *Run) backLayer(g *Grads, l, d int, dh, din []float64) {
	n := r.Net
	s, H, X := l*n.Dirs()+d, n.Width(), n.LayerInput(l)
	w := n.weights(s)
	for b, length := range r.Lengths {
		dhState, dcState := r.state(g.DS0, b, s)
		for k := length - 1; k >= 0; k-- {
			tb := n.at(d, k, length)*r.B + b
			dhNew := add(dhState, dh[tb*H:(tb+1)*H]) // h' goes to the next step and to the output
			dhOld, dhMade := unzoned(n.ZoneH, s, tb, dhNew)
			dcOld, dcMade := unzoned(n.ZoneC, s, tb, dcState)
			dx, dhPrev, dcPrev := r.steps[s][tb].Backward(w, g.Weights[s], dhMade, dcMade)
			for i := range dx {
				din[tb*X+i] += dx[i]
			}
			copy(dhState, add(dhPrev, dhOld))
			if dcState != nil {
				copy(dcState, add(dcPrev, dcOld))
			}
		}
	}
	if n.WeightMasks != nil {
		copy(g.Weights[s].Wh, mul(g.Weights[s].Wh, n.WeightMasks[s]))
	}
}

// splitMerge returns the share of dy (T, B, W), the gradient of layer l's merged
// output, that falls to the outputs of direction d, (T, B, H).
func (r *Run) splitMerge(l, d int, dy []float64) []float64 {
	n := r.Net
	H, W, D := n.Width(), n.Out(), n.Dirs()
	dh := make([]float64, r.T*r.B*H)
	for tb := range r.T * r.B {
		if r.steps[l*D+d][tb] == nil {
			continue
		}
		for j := range H {
			switch {
			case D == 1:
				dh[tb*H+j] = dy[tb*W+j]
			case n.Merge == "concat":
				dh[tb*H+j] = dy[tb*W+d*H+j]
			case n.Merge == "sum":
				dh[tb*H+j] = dy[tb*W+j]
			case n.Merge == "average":
				dh[tb*H+j] = dy[tb*W+j] / 2
			case n.Merge == "multiply":
				dh[tb*H+j] = dy[tb*W+j] * r.hs[l*D+1-d][tb*H+j]
			}
		}
	}
	return dh
}
