package rnn

import (
	"math/bits"

	"sluice/internal/kernel"
	"sluice/nn"
)

// zones are the zoneouts of a layer's and direction's states: of h, and of c of
// an LSTM.
type zones [2]zone

// zone is that of one state vector. A mask keeps the old state of a unit or
// does not; without masks their expectation is taken.
type zone struct {
	rate   float32 // of units that keep their state; 0: there is no zoneout
	hidden int     // the width of the vector
	masked bool
	masks  []uint64 // (rows, H/64) bits of the units that keep it
}

// fit makes room for rows of the tape.
func (z *zones) fit(c *Config, rows int, use use) {
	for v, rate := range []float64{c.Zoneout, c.ZoneoutCell} {
		z[v].rate, z[v].hidden, z[v].masked = float32(rate), c.Hidden, use == training
		if v == 0 {
			z[v].hidden = c.HSize()
		}
		z[v].masks = z[v].masks[:0]
		if rate > 0 && z[v].masked {
			z[v].masks = nn.Grow(z[v].masks, rows*words(z[v].hidden))
		}
	}
}

// active says whether there is zoneout of any vector.
func (z *zones) active() bool { return z[0].rate > 0 || z[1].rate > 0 }

// draw sets the masks of a row from the streams of the key's layer and the next.
func (z *zones) draw(random *nn.Random, key nn.Key, row int) {
	for v := range z {
		if n := words(z[v].hidden); z[v].rate > 0 {
			drawBits(random, z[v].masks[row*n:(row+1)*n], z[v].hidden, float64(z[v].rate), key)
		}
		key.Layer++
	}
}

// mask is that of the 64 units of a block in a row.
func (z *zone) mask(row, block int) uint64 { return z.masks[row*words(z.hidden)+block] }

// forward makes next, some units of a block, what zoneout leaves of it:
// m ⊙ prev + (1−m) ⊙ next.
func (z *zone) forward(next, prev []float32, row, block int) {
	if !z.masked {
		prev = prev[:len(next)]
		for j, v := range next {
			next[j] = float32(z.rate*prev[j]) + float32((1-z.rate)*v)
		}
		return
	}
	for m := z.mask(row, block); m != 0; m &= m - 1 {
		j := bits.TrailingZeros64(m)
		next[j] = prev[j]
	}
}

// part parts d, the gradient of the state after zoneout: it becomes that of
// the state that the cell has made, and kept is what goes to the one before.
func (z *zone) part(kept, d []float32, row, block int) {
	if !z.masked {
		kept = kept[:len(d)]
		for j, v := range d {
			kept[j], d[j] = z.rate*v, (1-z.rate)*v
		}
		return
	}
	for m := z.mask(row, block); m != 0; m &= m - 1 {
		j := bits.TrailingZeros64(m)
		kept[j], d[j] = d[j], 0
	}
}

// join adds kept to d, the gradient of the state before the step.
func (z *zone) join(d, kept []float32, row, block int) {
	if !z.masked {
		kernel.AddTo(d, kept[:len(d)])
		return
	}
	for m := z.mask(row, block); m != 0; m &= m - 1 {
		j := bits.TrailingZeros64(m)
		d[j] += kept[j]
	}
}

// zoned calls f with each 64 units of each row and state vector that has a zoneout.
func (w *fusedWay) zoned(s stretch, u units, f func(z *zone, v, i, at, n int)) {
	for v := range w.state {
		for at, end := u.of(v); at < end && w.zones[v].rate > 0; at += kernel.Wide {
			for i := range s.n {
				f(&w.zones[v], v, i, at, min(kernel.Wide, w.zones[v].hidden-at))
			}
		}
	}
}

// zoneOut is zoneout of the states at next. It keeps what the kernels made
// where those of the step back read it.
func (w *fusedWay) zoneOut(s stretch, u units) {
	if v := w.keepsRaw(); v >= 0 && w.use != inference {
		for at := u.from; at < u.to; at += kernel.Wide {
			copy(cell(w.raw, s.at, at)[:s.n*kernel.Wide], cell(w.state[v], s.next, at))
		}
	}
	w.zoned(s, u, func(z *zone, v, i, at, n int) {
		z.forward(cell(w.state[v], s.next+i, at)[:n], cell(w.state[v], s.prev+i, at), s.at+i, at/kernel.Wide)
	})
}

// keepsRaw is the state vector of which raw has what the kernels made, or −1.
func (w *fusedWay) keepsRaw() int {
	if v := w.after(); v >= 0 && w.zones[v].rate > 0 {
		return v
	}
	return -1
}

// made is where unit u's columns begin in the rows of s of the state vector that
// after names, as the kernels have made it.
func (w *fusedWay) made(s stretch, u int) []float32 {
	if w.keepsRaw() >= 0 {
		return cell(w.raw, s.at, u)
	}
	return cell(w.state[w.after()], s.next, u)
}

// zonePart makes the gradients of the states those of what the kernels made,
// h's with that of y, and keeps the rest.
func (w *fusedWay) zonePart(s stretch, u units) {
	for at := u.h.from; at < u.h.to && w.zones[0].rate > 0; at += kernel.Wide {
		dy := cell(w.dy, s.b, at)[:s.n*kernel.Wide]
		kernel.AddTo(cell(w.dState[0], s.b, at)[:len(dy)], dy)
		clear(dy)
	}
	w.zoned(s, u, func(z *zone, v, i, at, n int) {
		z.part(cell(w.kept[v], s.b+i, at), cell(w.dState[v], s.b+i, at)[:n], s.at+i, at/kernel.Wide)
	})
}

// zoneJoin adds the rest when the kernels have made the gradients of the states
// before.
func (w *fusedWay) zoneJoin(s stretch, u units) {
	w.zoned(s, u, func(z *zone, v, i, at, n int) {
		z.join(cell(w.dState[v], s.b+i, at)[:n], cell(w.kept[v], s.b+i, at), s.at+i, at/kernel.Wide)
	})
}
