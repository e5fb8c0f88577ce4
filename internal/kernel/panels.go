package kernel

// Panels is a weight matrix stored for products with rows from the left: K
// inputs, N outputs. A panel holds some outputs of all inputs, an input after
// the other, so that a product reads it from its begin to its end.
type Panels struct {
	K, N  int
	width int       // outputs of a panel, a multiple of Lane; the last may have fewer lanes
	data  []float32 // panel after panel, (K, width) each
	low   *low      // instead of data, where the precision is less than float32
	mixed bool      // data is rounded to bf16
	pairs bool      // to (K/2, width) pairs of each panel
}

// Order is how the outputs of a cell stand in panels: panel i holds units
// [16i, 16i+16) of each of the Gates, numbers of the H rows each that a weight
// matrix (G·H, …) is made of. The zero Order is that of a plain matrix: 64
// outputs a panel, as they come.
type Order struct {
	Gates []int
	H     int
}

// width is the number of outputs of a panel.
func (o Order) width() int {
	if o.Gates == nil {
		return Wide
	}
	return len(o.Gates) * Lane
}

// Lanes is the number of lanes of a panel.
func (o Order) Lanes() int { return o.width() / Lane }

// Lane is the first row of the weights whose outputs are a lane of a panel,
// and how many there are, of n rows.
func (o Order) Lane(panel, lane, n int) (row, count int) {
	if o.Gates == nil {
		row = panel*Wide + lane*Lane
		return row, max(0, min(Lane, n-row))
	}
	return o.Gates[lane]*o.H + panel*Lane, min(Lane, o.H-panel*Lane)
}

// Len is the number of panels.
func (p Panels) Len() int { return (p.N + p.width - 1) / max(1, p.width) }

// lanesOf is the number of outputs of panel i, whole lanes.
func (p Panels) lanesOf(i int) int { return min(p.width, (p.N-i*p.width+Lane-1)/Lane*Lane) }

// panel is panel i and the number of its outputs.
func (p Panels) panel(i int) (data []float32, width int) {
	width = p.lanesOf(i)
	return p.data[i*p.width*p.K:][:p.K*width], width
}

// fit makes room.
func (p *Panels) fit(k, n, width int) {
	p.K, p.N, p.width, p.low, p.mixed, p.pairs = k, n, width, nil, false, false
	size := k * ((n + Lane - 1) / Lane * Lane)
	if cap(p.data) < size {
		p.data = Aligned(size)
	}
	p.data = p.data[:size]
}

// Pack fills p from w (n, k), one row an output, so that MulAdd adds x·wᵀ. It
// reuses p's memory where it fits. Where o names gates, the outputs are theirs,
// H rounded up to 16 of each, those beyond H zero.
func (p *Panels) Pack(w []float32, n, k int, o Order) {
	p.plan(w, n, k, o)
	p.pack(w, n, o, 0, p.Len())
}

// plan makes room for what pack sets.
func (p *Panels) plan(w []float32, n, k int, o Order) {
	outputs := n
	if o.Gates != nil {
		outputs = (o.H + Lane - 1) / Lane * o.width()
	}
	_ = w[:n*k]
	p.fit(k, outputs, o.width())
}

// pack sets panels [from, to) from w (n, K).
func (p *Panels) pack(w []float32, n int, o Order, from, to int) {
	for i := from; i < to && p.K > 0; i++ {
		panel, width := p.panel(i)
		for l := range width / Lane {
			row, count := o.Lane(i, l, n)
			transpose(panel[l*Lane:], width, w[row*p.K:], p.K, count)
		}
	}
}

// turn sets panels [from, to) to the transpose of what of, whose outputs are
// p's inputs, holds.
func (p *Panels) turn(of Panels, from, to int) {
	var scratch []float32
	if of.pairs {
		buffer := floats.Get()
		defer floats.Put(buffer)
		scratch = *buffer
	}
	for i := from; i < to; i++ {
		panel, width := p.panel(i)
		rows := min(Wide, p.N-i*Wide) // of of's panels
		if rows < width {
			clear(panel)
		}
		for j := range of.Len() {
			src, wide := of.panel(j)
			if of.pairs {
				widen(scratch, asWords(src[i*Wide/2*wide:]), wide, (rows+1)/2)
				src = scratch
			} else {
				src = src[i*Wide*wide:]
			}
			for l := 0; l < wide; l += Lane {
				input := j*of.width + l
				if count := p.K - input; count < Lane {
					for u := range count {
						for r := range rows {
							panel[(input+u)*width+r] = src[r*wide+l+u]
						}
					}
					continue
				}
				Transpose(panel[input*width:], width, src[l:], wide, rows)
			}
		}
	}
}

// Table is the rows of the panels as a look-up table: that of input k of panel
// i is table[k·width:][:width].
func (p Panels) Table(i int) (table []float32, width int) {
	if p.low != nil {
		return p.tableOf(i)
	}
	return p.panel(i)
}

// edges are rows of one lane for products that end within one.
var edges = newSpare(func() *[maxTile * Lane]float32 { return new([maxTile * Lane]float32) })
