package kernel

// gate is gate i of a row of g.
func gate(g []float32, row, i int) []float32 { return g[row*Wide:][:Wide][i*Lane:][:Lane] }

// unit is a row of a panel of a state.
func unit(x []float32, row int) []float32 { return x[row*Wide:][:Lane] }

func lstmForwardGeneric(g, cPrev, c, h []float32, rows int) {
	for row := range rows {
		i, f, n, o := gate(g, row, 0), gate(g, row, 1), gate(g, row, 2), gate(g, row, 3)
		cPrev, c, h := unit(cPrev, row), unit(c, row), unit(h, row)
		for j := range h {
			i[j], f[j], n[j], o[j] = Sigmoid(i[j]), Sigmoid(f[j]), Tanh(n[j]), Sigmoid(o[j])
			c[j] = float32(f[j]*cPrev[j]) + float32(i[j]*n[j])
			h[j] = o[j] * Tanh(c[j])
		}
	}
}

func lstmBackwardGeneric(g, cPrev, c, dh, dc, dy []float32, rows int) {
	for row := range rows {
		i, f, n, o := gate(g, row, 0), gate(g, row, 1), gate(g, row, 2), gate(g, row, 3)
		cPrev, c, dh, dc, dy := unit(cPrev, row), unit(c, row), unit(dh, row), unit(dc, row), unit(dy, row)
		for j := range c {
			d, t := dh[j]+dy[j], Tanh(c[j])
			e := dc[j] + float32(float32(d*o[j])*(1-float32(t*t))) // the gradient of c
			dc[j], dh[j] = e*f[j], 0
			o[j] = float32(d*t) * float32((1-o[j])*o[j])
			f[j] = float32(e*cPrev[j]) * float32((1-f[j])*f[j])
			i[j], n[j] = float32(e*n[j])*float32((1-i[j])*i[j]), float32(e*i[j])*(1-float32(n[j]*n[j]))
		}
	}
}

func peepholeForwardGeneric(g, p, cPrev, c, h []float32, rows int) {
	pi, pf, po := gate(p, 0, 0), gate(p, 0, 1), gate(p, 0, 3)
	for row := range rows {
		i, f, n, o := gate(g, row, 0), gate(g, row, 1), gate(g, row, 2), gate(g, row, 3)
		cPrev, c, h := unit(cPrev, row), unit(c, row), unit(h, row)
		for j := range h {
			i[j], f[j] = Sigmoid(i[j]+float32(pi[j]*cPrev[j])), Sigmoid(f[j]+float32(pf[j]*cPrev[j]))
			n[j] = Tanh(n[j])
			c[j] = float32(f[j]*cPrev[j]) + float32(i[j]*n[j])
			o[j] = Sigmoid(o[j] + float32(po[j]*c[j]))
			h[j] = o[j] * Tanh(c[j])
		}
	}
}

func peepholeBackwardGeneric(g, p, cPrev, c, dh, dc, dy []float32, rows int) {
	pi, pf, po := gate(p, 0, 0), gate(p, 0, 1), gate(p, 0, 3)
	for row := range rows {
		i, f, n, o := gate(g, row, 0), gate(g, row, 1), gate(g, row, 2), gate(g, row, 3)
		cPrev, c, dh, dc, dy := unit(cPrev, row), unit(c, row), unit(dh, row), unit(dc, row), unit(dy, row)
		for j := range c {
			d, t, e := dh[j]+dy[j], Tanh(c[j]), f[j]
			do := float32(d*t) * float32((1-o[j])*o[j])
			dcj := dc[j] + float32(float32(d*o[j])*(1-float32(t*t))) + float32(do*po[j]) // the gradient of c
			di, df := float32(dcj*n[j])*float32((1-i[j])*i[j]), float32(dcj*cPrev[j])*float32((1-f[j])*f[j])
			n[j] = float32(dcj*i[j]) * (1 - float32(n[j]*n[j]))
			i[j], f[j], o[j], dh[j] = di, df, do, 0
			dc[j] = float32(dcj*e) + float32(di*pi[j]) + float32(df*pf[j])
		}
	}
}

func gruForwardGeneric(g, hPrev, h []float32, rows int) {
	for row := range rows {
		n, r, z, hn := gate(g, row, 0), gate(g, row, 1), gate(g, row, 2), gate(g, row, 3)
		hPrev, h := unit(hPrev, row), unit(h, row)
		for j := range h {
			r[j], z[j] = Sigmoid(r[j]), Sigmoid(z[j])
			n[j] = Tanh(n[j] + float32(r[j]*hn[j]))
			h[j] = n[j] + float32(z[j]*(hPrev[j]-n[j]))
		}
	}
}

func gruBackwardGeneric(g, hPrev, dh, dy []float32, rows int) {
	gruNextBackwardGeneric(g, hPrev, dh, dy, rows)
	for row := range rows {
		n, r, hn := gate(g, row, 0), gate(g, row, 1), gate(g, row, 3)
		for j, dn := range n {
			hn[j], r[j] = dn*r[j], float32(dn*hn[j])*float32((1-r[j])*r[j])
		}
	}
}

func gruResetGeneric(g, hPrev, rh []float32, rows int) {
	for row := range rows {
		r, z, hPrev, rh := gate(g, row, 1), gate(g, row, 2), unit(hPrev, row), unit(rh, row)
		for j := range rh {
			r[j], z[j] = Sigmoid(r[j]), Sigmoid(z[j])
			rh[j] = r[j] * hPrev[j]
		}
	}
}

func gruNextGeneric(g, hPrev, h []float32, rows int) {
	for row := range rows {
		n, z, hPrev, h := gate(g, row, 0), gate(g, row, 2), unit(hPrev, row), unit(h, row)
		for j := range h {
			n[j] = Tanh(n[j])
			h[j] = n[j] + float32(z[j]*(hPrev[j]-n[j]))
		}
	}
}

func gruNextBackwardGeneric(g, hPrev, dh, dy []float32, rows int) {
	for row := range rows {
		n, z, hPrev, dh, dy := gate(g, row, 0), gate(g, row, 2), unit(hPrev, row), unit(dh, row), unit(dy, row)
		for j := range dh {
			d := dh[j] + dy[j]
			dz := float32(d*(hPrev[j]-n[j])) * float32((1-z[j])*z[j])
			n[j] = float32(d*(1-z[j])) * (1 - float32(n[j]*n[j]))
			dh[j], z[j] = d*z[j], dz
		}
	}
}

func gruResetBackwardGeneric(g, hPrev, dh, drh []float32, rows int) {
	for row := range rows {
		r, hPrev, dh, drh := gate(g, row, 1), unit(hPrev, row), unit(dh, row), unit(drh, row)
		for j, d := range drh {
			dh[j] += float32(d * r[j])
			r[j] = float32(d*hPrev[j]) * float32((1-r[j])*r[j])
		}
	}
}

func tanhForwardGeneric(g, h []float32, rows int) {
	for i, v := range g[:rows*Wide] {
		h[i] = Tanh(v)
	}
}

func reluForwardGeneric(g, h []float32, rows int) {
	for i, v := range g[:rows*Wide] {
		h[i] = max(0, v)
	}
}

func tanhBackwardGeneric(g, h, dh, dy []float32, rows int) {
	for i, v := range h[:rows*Wide] {
		g[i], dh[i] = (dh[i]+dy[i])*(1-float32(v*v)), 0
	}
}

func reluBackwardGeneric(g, h, dh, dy []float32, rows int) {
	for i, v := range h[:rows*Wide] {
		d := dh[i] + dy[i]
		if v <= 0 {
			d = 0
		}
		g[i], dh[i] = d, 0
	}
}
