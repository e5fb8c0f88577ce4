// Package ref is the oracle: the equations of the textbook in float64, forward
// and backward, in plain loops. Only tests use it, and it shares no code with
// what it judges.
//
// It works sample by sample and step by step: a cell (rnn.go, gru.go, lstm.go)
// maps one input (X) and one state (H) to the next state, and the network
// (forward.go, backward.go) does nothing but call cells in the right order.
//
// Sources of the equations:
//
//   - vanilla RNN: Elman 1990;
//   - GRU, reset-before: Cho et al. 2014, arXiv 1406.1078;
//   - GRU, reset-after: the variant of cuDNN and PyTorch;
//   - LSTM: Hochreiter & Schmidhuber 1997, with the forget gate of Gers,
//     Schmidhuber & Cummins 2000; peepholes: Gers & Schmidhuber 2000; projection:
//     Sak, Senior & Beaufays 2014;
//   - bidirectional: Schuster & Paliwal 1997;
//   - locked dropout: Gal & Ghahramani 2016; zoneout: Krueger et al. 2017;
//     dropped recurrent weights: Merity et al. 2018; layer norm: Ba et al. 2016;
//   - backward: backpropagation through time, Werbos 1990.
//
// The letters: T steps, B batch, X input width, H hidden width, G gates, L
// layers, D directions, S state vectors of a cell (1, or 2 for the LSTM's h and
// c), W width of a layer's output, V vocabulary. Sequences are time first.
package ref

import "fmt"

// Net is everything that fixes the function.
type Net struct {
	Cell                  string // "rnn_tanh", "rnn_relu", "gru_before", "gru_after", "lstm"
	Input, Hidden, Layers int
	Direction             string      // "forward", "backward", "bidirectional"
	Merge                 string      // bidirectional only: "concat", "sum", "average", "multiply"; applies to every layer
	Projection            int         // P: LSTM, h' = m·Whr is (P); 0: none
	Peephole              bool        // LSTM
	Options                           // of every cell
	Biases                int         // 1: bx alone, bh is zero; 2: bx and bh
	Weights               []Weights   // (L·D), layer-major: stream l·D + d; d 0 reads forward, 1 from the end
	Masks                 [][]float64 // nil, or (L-1) of (T, B, W): multiplies the output of layer l on its way to layer l+1; an entry may be nil
	Locked                bool        // Masks are of (B, W), for every step
	ZoneH, ZoneC          [][]float64 // nil, or (L·D) of (T, B, P or H) and (T, B, H): the share m of the old state in h' ← m ⊙ h + (1 − m) ⊙ h', and in c' of an LSTM
	WeightMasks           [][]float64 // nil, or (L·D) of (G·H, P or H): multiplies Wh
	LayerNorm             bool        // in the cell: see norm.go
}

// Weights are the parameters of one layer in one direction, or their gradient.
// Rows are outputs as in PyTorch; gates follow r, z, n (GRU) and i, f, g, o
// (LSTM). The input width of layer l is Net.LayerInput(l).
type Weights struct {
	Wx []float64 // (G·H, X)
	Wh []float64 // (G·H, H), with a projection (G·H, P)
	Bx []float64 // (G·H)
	Bh []float64 // (G·H), nil with one bias

	Peep []float64 // (3·H) i, f, o, or coupled (2·H) i, o, with peepholes, else nil
	Whr  []float64 // (P, H) with a projection, else nil

	GainX, GainH []float64 // (G·H) with layer norm, else nil
	GainC, BiasC []float64 // (H) with layer norm of an LSTM, else nil
}

// Gates returns G.
func (n *Net) Gates() int {
	switch n.Cell {
	case "rnn_tanh", "rnn_relu":
		return 1
	case "gru_before", "gru_after":
		return 3
	case "lstm":
		if n.Coupled {
			return 3
		}
		return 4
	}
	panic(fmt.Sprintf("ref: cell %q", n.Cell))
}

// States returns S, the state vectors of one cell: h, and c for the LSTM.
func (n *Net) States() int {
	if n.Cell == "lstm" {
		return 2
	}
	return 1
}

// Width returns the width of h: P, or H without a projection.
func (n *Net) Width() int {
	if n.Projection > 0 {
		return n.Projection
	}
	return n.Hidden
}

// Dirs returns D.
func (n *Net) Dirs() int {
	switch n.Direction {
	case "forward", "backward":
		return 1
	case "bidirectional":
		return 2
	}
	panic(fmt.Sprintf("ref: direction %q", n.Direction))
}

// Out returns W, the width of every layer's output: that of h, twice that when two
// directions are concatenated.
func (n *Net) Out() int {
	if n.Dirs() == 1 {
		return n.Width()
	}
	switch n.Merge {
	case "concat":
		return 2 * n.Width()
	case "sum", "average", "multiply":
		return n.Width()
	}
	panic(fmt.Sprintf("ref: merge %q", n.Merge))
}

// LayerInput returns the width of what layer l reads.
func (n *Net) LayerInput(l int) int {
	if l == 0 {
		return n.Input
	}
	return n.Out()
}

// StateSize returns the floats of one stream's state: for layer, for direction, for
// state vector (h, then c), the vector's.
func (n *Net) StateSize() int { return n.Layers * n.Dirs() * n.block() }

// block returns those of one layer and direction.
func (n *Net) block() int { return n.Width() + (n.States()-1)*n.Hidden }

// ZeroWeights returns zeros in the shapes of n's weights, (L·D).
func (n *Net) ZeroWeights() []Weights {
	rows := n.Gates() * n.Hidden
	ws := make([]Weights, n.Layers*n.Dirs())
	for s := range ws {
		ws[s] = Weights{
			Wx: make([]float64, rows*n.LayerInput(s/n.Dirs())),
			Wh: make([]float64, rows*n.Width()),
			Bx: make([]float64, rows),
		}
		if n.Biases == 2 {
			ws[s].Bh = make([]float64, rows)
		}
		if n.Peephole {
			ws[s].Peep = make([]float64, (n.Gates()-1)*n.Hidden)
		}
		if n.Projection > 0 {
			ws[s].Whr = make([]float64, n.Projection*n.Hidden)
		}
		if n.LayerNorm {
			ws[s].GainX, ws[s].GainH = make([]float64, rows), make([]float64, rows)
		}
		if n.LayerNorm && n.Cell == "lstm" {
			ws[s].GainC, ws[s].BiasC = make([]float64, n.Hidden), make([]float64, n.Hidden)
		}
	}
	return ws
}

// readsFromEnd says whether direction d reads a sequence from its end.
func (n *Net) readsFromEnd(d int) bool { return d == 1 || n.Direction == "backward" }

// at returns the place in time of the k-th step that direction d reads from a
// sequence of the given length. Padding is never touched.
func (n *Net) at(d, k, length int) int {
	if n.readsFromEnd(d) {
		return length - 1 - k
	}
	return k
}

// check panics unless the weights, masks, lengths and given slices fit.
func (n *Net) check(x []float64, T, B int, lengths []int, s0 []float64) {
	if n.Biases != 1 && n.Biases != 2 {
		panic(fmt.Sprintf("ref: Biases %d, want 1 or 2", n.Biases))
	}
	n.Out() // the direction and the merge are known
	want := n.ZeroWeights()
	wantLen("Weights", len(n.Weights), len(want))
	for s, w := range n.Weights {
		wantLen(fmt.Sprintf("Weights[%d].Wx", s), len(w.Wx), len(want[s].Wx))
		wantLen(fmt.Sprintf("Weights[%d].Wh", s), len(w.Wh), len(want[s].Wh))
		wantLen(fmt.Sprintf("Weights[%d].Bx", s), len(w.Bx), len(want[s].Bx))
		wantLen(fmt.Sprintf("Weights[%d].Bh", s), len(w.Bh), len(want[s].Bh))
	}
	if n.Masks != nil {
		wantLen("Masks", len(n.Masks), n.Layers-1)
	}
	n.checkMasks(T, B)
	wantLen("x", len(x), T*B*n.Input)
	if s0 != nil {
		wantLen("s0", len(s0), B*n.StateSize())
	}
	if lengths != nil {
		wantLen("lengths", len(lengths), B)
	}
	for b, v := range lengths {
		if v < 0 || v > T {
			panic(fmt.Sprintf("ref: lengths[%d] is %d, want 0 to %d", b, v, T))
		}
	}
}

// checkMasks panics unless the masks fit.
func (n *Net) checkMasks(T, B int) {
	each := func(name string, masks [][]float64, size int) {
		for i, m := range masks {
			if m != nil {
				wantLen(fmt.Sprintf("%s[%d]", name, i), len(m), size)
			}
		}
	}
	between := T * B * n.Out()
	if n.Locked {
		between = B * n.Out()
	}
	each("Masks", n.Masks, between)
	each("ZoneH", n.ZoneH, T*B*n.Width())
	each("ZoneC", n.ZoneC, T*B*n.Hidden)
	each("WeightMasks", n.WeightMasks, n.Gates()*n.Hidden*n.Width())
}

// weights returns those of stream s as the steps use them.
func (n *Net) weights(s int) Weights {
	w := n.Weights[s]
	if n.WeightMasks != nil {
		w.Wh = mul(w.Wh, n.WeightMasks[s])
	}
	return w
}

func wantLen(name string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("ref: %s has %d values, want %d", name, got, want))
	}
}
