//go:build !purego

package kernel

// panel is where the first row of a panel of a state begins, all rows being there.
func panel(x []float32, rows int) *float32 {
	_ = x[(rows-1)*Wide+Lane-1]
	return &x[0]
}

// block is where rows of Wide floats begin, all of them being there.
func block(x []float32, rows int) *float32 {
	_ = x[rows*Wide-1]
	return &x[0]
}

func lstmForward(g, cPrev, c, h []float32, rows int) {
	switch level {
	case AVX512:
		lstmForwardAVX512(block(g, rows), panel(cPrev, rows), panel(c, rows), panel(h, rows), rows)
	case AVX2:
		lstmForwardAVX2(block(g, rows), panel(cPrev, rows), panel(c, rows), panel(h, rows), rows)
	default:
		lstmForwardGeneric(g, cPrev, c, h, rows)
	}
}

func lstmBackward(g, cPrev, c, dh, dc, dy []float32, rows int) {
	switch level {
	case AVX512:
		lstmBackwardAVX512(block(g, rows), panel(cPrev, rows), panel(c, rows), panel(dh, rows), panel(dc, rows), panel(dy, rows), rows)
	case AVX2:
		lstmBackwardAVX2(block(g, rows), panel(cPrev, rows), panel(c, rows), panel(dh, rows), panel(dc, rows), panel(dy, rows), rows)
	default:
		lstmBackwardGeneric(g, cPrev, c, dh, dc, dy, rows)
	}
}

func peepholeForward(g, p, cPrev, c, h []float32, rows int) {
	switch level {
	case AVX512:
		peepholeForwardAVX512(block(g, rows), block(p, 1), panel(cPrev, rows), panel(c, rows), panel(h, rows), rows)
	case AVX2:
		peepholeForwardAVX2(block(g, rows), block(p, 1), panel(cPrev, rows), panel(c, rows), panel(h, rows), rows)
	default:
		peepholeForwardGeneric(g, p, cPrev, c, h, rows)
	}
}

func peepholeBackward(g, p, cPrev, c, dh, dc, dy []float32, rows int) {
	switch level {
	case AVX512:
		peepholeBackwardAVX512(block(g, rows), block(p, 1), panel(cPrev, rows), panel(c, rows), panel(dh, rows), panel(dc, rows), panel(dy, rows), rows)
	case AVX2:
		peepholeBackwardAVX2(block(g, rows), block(p, 1), panel(cPrev, rows), panel(c, rows), panel(dh, rows), panel(dc, rows), panel(dy, rows), rows)
	default:
		peepholeBackwardGeneric(g, p, cPrev, c, dh, dc, dy, rows)
	}
}

func gruForward(g, hPrev, h []float32, rows int) {
	switch level {
	case AVX512:
		gruForwardAVX512(block(g, rows), panel(hPrev, rows), panel(h, rows), rows)
	case AVX2:
		gruForwardAVX2(block(g, rows), panel(hPrev, rows), panel(h, rows), rows)
	default:
		gruForwardGeneric(g, hPrev, h, rows)
	}
}

func gruBackward(g, hPrev, dh, dy []float32, rows int) {
	switch level {
	case AVX512:
		gruBackwardAVX512(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(dy, rows), rows)
	case AVX2:
		gruBackwardAVX2(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(dy, rows), rows)
	default:
		gruBackwardGeneric(g, hPrev, dh, dy, rows)
	}
}

func gruReset(g, hPrev, rh []float32, rows int) {
	switch level {
	case AVX512:
		gruResetAVX512(block(g, rows), panel(hPrev, rows), panel(rh, rows), rows)
	case AVX2:
		gruResetAVX2(block(g, rows), panel(hPrev, rows), panel(rh, rows), rows)
	default:
		gruResetGeneric(g, hPrev, rh, rows)
	}
}

func gruNext(g, hPrev, h []float32, rows int) {
	switch level {
	case AVX512:
		gruNextAVX512(block(g, rows), panel(hPrev, rows), panel(h, rows), rows)
	case AVX2:
		gruNextAVX2(block(g, rows), panel(hPrev, rows), panel(h, rows), rows)
	default:
		gruNextGeneric(g, hPrev, h, rows)
	}
}

func gruNextBackward(g, hPrev, dh, dy []float32, rows int) {
	switch level {
	case AVX512:
		gruNextBackwardAVX512(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(dy, rows), rows)
	case AVX2:
		gruNextBackwardAVX2(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(dy, rows), rows)
	default:
		gruNextBackwardGeneric(g, hPrev, dh, dy, rows)
	}
}

func gruResetBackward(g, hPrev, dh, drh []float32, rows int) {
	switch level {
	case AVX512:
		gruResetBackwardAVX512(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(drh, rows), rows)
	case AVX2:
		gruResetBackwardAVX2(block(g, rows), panel(hPrev, rows), panel(dh, rows), panel(drh, rows), rows)
	default:
		gruResetBackwardGeneric(g, hPrev, dh, drh, rows)
	}
}

func tanhForward(g, h []float32, rows int) {
	switch level {
	case AVX512:
		tanhForwardAVX512(block(g, rows), block(h, rows), rows)
	case AVX2:
		tanhForwardAVX2(block(g, rows), block(h, rows), rows)
	default:
		tanhForwardGeneric(g, h, rows)
	}
}

func reluForward(g, h []float32, rows int) {
	switch level {
	case AVX512:
		reluForwardAVX512(block(g, rows), block(h, rows), rows)
	case AVX2:
		reluForwardAVX2(block(g, rows), block(h, rows), rows)
	default:
		reluForwardGeneric(g, h, rows)
	}
}

func tanhBackward(g, h, dh, dy []float32, rows int) {
	switch level {
	case AVX512:
		tanhBackwardAVX512(block(g, rows), block(h, rows), block(dh, rows), block(dy, rows), rows)
	case AVX2:
		tanhBackwardAVX2(block(g, rows), block(h, rows), block(dh, rows), block(dy, rows), rows)
	default:
		tanhBackwardGeneric(g, h, dh, dy, rows)
	}
}

func reluBackward(g, h, dh, dy []float32, rows int) {
	switch level {
	case AVX512:
		reluBackwardAVX512(block(g, rows), block(h, rows), block(dh, rows), block(dy, rows), rows)
	case AVX2:
		reluBackwardAVX2(block(g, rows), block(h, rows), block(dh, rows), block(dy, rows), rows)
	default:
		reluBackwardGeneric(g, h, dh, dy, rows)
	}
}
