package kernel

// fmaLoopGeneric has chains sums; Go has no vectors for the rest of acc.
func fmaLoopGeneric(acc *[chains * Lane]float32, n int, by, plus float32) {
	a, b, c, d, e, f := acc[0], acc[1], acc[2], acc[3], acc[4], acc[5]
	g, h, i, j, k, l := acc[6], acc[7], acc[8], acc[9], acc[10], acc[11]
	for range n {
		a, b, c, d = a*by+plus, b*by+plus, c*by+plus, d*by+plus
		e, f, g, h = e*by+plus, f*by+plus, g*by+plus, h*by+plus
		i, j, k, l = i*by+plus, j*by+plus, k*by+plus, l*by+plus
	}
	copy(acc[:], []float32{a, b, c, d, e, f, g, h, i, j, k, l})
}

func readSumGeneric(p []float32, times int) float32 {
	var a, b, c, d, e, f, g, h float32
	for range times {
		x := p
		for ; len(x) >= 8; x = x[8:] {
			a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
			e, f, g, h = e+x[4], f+x[5], g+x[6], h+x[7]
		}
		for _, v := range x {
			a += v
		}
	}
	return ((a + e) + (c + g)) + ((b + f) + (d + h))
}
