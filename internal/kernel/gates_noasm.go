//go:build !amd64 || purego

package kernel

func lstmForward(g, cPrev, c, h []float32, rows int) { lstmForwardGeneric(g, cPrev, c, h, rows) }

func lstmBackward(g, cPrev, c, dh, dc, dy []float32, rows int) {
	lstmBackwardGeneric(g, cPrev, c, dh, dc, dy, rows)
}

func peepholeForward(g, p, cPrev, c, h []float32, rows int) {
	peepholeForwardGeneric(g, p, cPrev, c, h, rows)
}

func peepholeBackward(g, p, cPrev, c, dh, dc, dy []float32, rows int) {
	peepholeBackwardGeneric(g, p, cPrev, c, dh, dc, dy, rows)
}

func gruForward(g, hPrev, h []float32, rows int) { gruForwardGeneric(g, hPrev, h, rows) }

func gruBackward(g, hPrev, dh, dy []float32, rows int) { gruBackwardGeneric(g, hPrev, dh, dy, rows) }

func gruReset(g, hPrev, rh []float32, rows int) { gruResetGeneric(g, hPrev, rh, rows) }

func gruNext(g, hPrev, h []float32, rows int) { gruNextGeneric(g, hPrev, h, rows) }

func gruNextBackward(g, hPrev, dh, dy []float32, rows int) {
	gruNextBackwardGeneric(g, hPrev, dh, dy, rows)
}

func gruResetBackward(g, hPrev, dh, drh []float32, rows int) {
	gruResetBackwardGeneric(g, hPrev, dh, drh, rows)
}

func tanhForward(g, h []float32, rows int) { tanhForwardGeneric(g, h, rows) }

func reluForward(g, h []float32, rows int) { reluForwardGeneric(g, h, rows) }

func tanhBackward(g, h, dh, dy []float32, rows int) { tanhBackwardGeneric(g, h, dh, dy, rows) }

func reluBackward(g, h, dh, dy []float32, rows int) { reluBackwardGeneric(g, h, dh, dy, rows) }
