package kernel

// The element-wise part of the cells, a panel of Lane hidden units at a time.
//
// Every array is rows of Wide floats, one row after the other, as a Matrix of
// blocks is. Of an array of gates, (rows, 64), a row holds the panel's gates
// side by side, 16 floats each. Of a state or its gradient, (rows, 16 of 64),
// a kernel touches the first 16 floats of each row: the slice begins at the
// panel's first unit, and its last row may end after 16. Gradients of a
// state are dh, from the later step, and dy, from the output; they are summed.
//
// AVX2 and AVX512 agree in their bits; Generic rounds otherwise. Nothing can
// interrupt a call, so rows had better be some hundreds at most.

// LSTMForward is one step of an LSTM after its products. g is i f g o, turned
// from pre-activations into gates; cPrev is the cell before, and c and h are
// set to c = f·cPrev + i·g and h = o·tanh(c).
func LSTMForward(g, cPrev, c, h []float32, rows int) {
	if rows > 0 {
		lstmForward(g, cPrev, c, h, rows)
	}
}

// LSTMBackward turns the gates g into the gradients of their pre-activations.
// c is the cell after the step, and dc its gradient from the later step, which
// becomes that of cPrev. dh becomes 0: a product is added to it.
func LSTMBackward(g, cPrev, c, dh, dc, dy []float32, rows int) {
	if rows > 0 {
		lstmBackward(g, cPrev, c, dh, dc, dy, rows)
	}
}

// PeepholeForward is LSTMForward where the gates see the cell. p (64) has the
// panel's peepholes as a row of g its gates, with nothing in the place of g:
// before they become gates, i and f gain p·cPrev, and o gains p·c.
func PeepholeForward(g, p, cPrev, c, h []float32, rows int) {
	if rows > 0 {
		peepholeForward(g, p, cPrev, c, h, rows)
	}
}

// PeepholeBackward is LSTMBackward after PeepholeForward.
func PeepholeBackward(g, p, cPrev, c, dh, dc, dy []float32, rows int) {
	if rows > 0 {
		peepholeBackward(g, p, cPrev, c, dh, dc, dy, rows)
	}
}

// GRUForward is one step of a GRU whose reset comes after the product. g is
// n r z hn, where n comes in as the input's part of the candidate alone and
// hn = h·Whn + bhn stays: r and z become gates, n = tanh(n + r·hn), and
// h = n + z·(hPrev − n).
func GRUForward(g, hPrev, h []float32, rows int) {
	if rows > 0 {
		gruForward(g, hPrev, h, rows)
	}
}

// GRUBackward turns the gates n r z hn of GRUForward into the gradients of
// the pre-activations dn dr dz and of hn. dh becomes what reaches hPrev
// through z: a product is added to it.
func GRUBackward(g, hPrev, dh, dy []float32, rows int) {
	if rows > 0 {
		gruBackward(g, hPrev, dh, dy, rows)
	}
}

// GRUReset is the first half of a step of a GRU whose reset comes before the
// product: r and z, the second and third of the gates g, and rh = r·hPrev.
func GRUReset(g, hPrev, rh []float32, rows int) {
	if rows > 0 {
		gruReset(g, hPrev, rh, rows)
	}
}

// GRUNext is the second half, when rh·Whn is in the first of the gates g:
// n = tanh(n) and h = n + z·(hPrev − n).
func GRUNext(g, hPrev, h []float32, rows int) {
	if rows > 0 {
		gruNext(g, hPrev, h, rows)
	}
}

// GRUNextBackward is GRUNext backward: of the gates g, n and z become the
// gradients of their pre-activations, and r stays. dh becomes what reaches
// hPrev through z.
func GRUNextBackward(g, hPrev, dh, dy []float32, rows int) {
	if rows > 0 {
		gruNextBackward(g, hPrev, dh, dy, rows)
	}
}

// GRUResetBackward is GRUReset backward, drh being the gradient of rh: of the
// gates g, r becomes the gradient of its pre-activation, and dh gains drh·r.
func GRUResetBackward(g, hPrev, dh, drh []float32, rows int) {
	if rows > 0 {
		gruResetBackward(g, hPrev, dh, drh, rows)
	}
}

// TanhForward sets h (rows, 64) to tanh(g), g (rows, 64).
func TanhForward(g, h []float32, rows int) {
	if rows > 0 {
		tanhForward(g, h, rows)
	}
}

// TanhBackward sets g (rows, 64) to the gradient of what TanhForward had
// there, and dh to 0. All are (rows, 64).
func TanhBackward(g, h, dh, dy []float32, rows int) {
	if rows > 0 {
		tanhBackward(g, h, dh, dy, rows)
	}
}

// ReLUForward sets h (rows, 64) to max(0, g), g (rows, 64).
func ReLUForward(g, h []float32, rows int) {
	if rows > 0 {
		reluForward(g, h, rows)
	}
}

// ReLUBackward is TanhBackward for ReLUForward. The gradient is 0 where h is.
func ReLUBackward(g, h, dh, dy []float32, rows int) {
	if rows > 0 {
		reluBackward(g, h, dh, dy, rows)
	}
}
