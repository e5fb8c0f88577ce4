package kernel

// Panels is a weight matrix stored for products with rows from the left: K
// inputs, N outputs. A panel holds some outputs of all inputs, an input after
// the other, so that a product reads it from its begin to its end.
type Panels struct {
	K, N  int
	width int       // outputs of a panel, a multiple of Lane; the last may have fewer lanes
	data  []float32 // panel after panel, (K, width) each
	low   *low      // instead of data, where the precision is less than float32
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
	p.K, p.N, p.width, p.low = k, n, width, nil
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
	outputs := n
	if o.Gates != nil {
		outputs = (o.H + Lane - 1) / Lane * o.width()
	}
	_ = w[:n*k]
	p.fit(k, outputs, o.width())
	for i := 0; i < p.Len() && k > 0; i++ {
		panel, width := p.panel(i)
		for l := range width / Lane {
			row, count := o.Lane(i, l, n)
			transpose(panel[l*Lane:], width, w[row*k:], k, count)
		}
	}
}

// PackTransposed fills p from w (k, n), one row an input, so that MulAdd adds
// x·w. It reuses p's memory where it fits. Where o names gates, the inputs are
// theirs in panels: rows of x are what MulAdd made with Panels of that order.
func (p *Panels) PackTransposed(w []float32, k, n int, o Order) {
	_ = w[:k*n]
	inputs := k
	if o.Gates != nil {
		inputs = (o.H + Lane - 1) / Lane * o.width()
	}
	p.fit(inputs, n, Wide)
	for i := range p.Len() {
		panel, width := p.panel(i)
		from, cols := i*Wide, min(Wide, n-i*Wide)
		for j := 0; j < inputs; j += Lane {
			row, count := o.Lane(j/o.width(), j%o.width()/Lane, k)
			block := panel[j*width : min(len(panel), (j+Lane)*width)]
			for u := range count {
				to := block[u*width : (u+1)*width]
				clear(to[copy(to, w[(row+u)*n+from:][:cols]):])
			}
			clear(block[count*width:])
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
