package rnn

import (
	"fmt"
	"slices"

	"sluice/internal/kernel"
	"sluice/nn"
)

// Fold makes IDs stand for rows of an embedding's table (V, X) instead of
// one-hot vectors, until Repack: the first layer's products with these V rows
// are made here, once, and from then on looked up. Forward gives the bits that
// the rows as values give. p keeps table, which must not change. Nobody may run
// IDs meanwhile.
func (p *Packed) Fold(team *nn.Team, table []float32) {
	if len(table) == 0 || len(table)%p.Input != 0 {
		panic(fmt.Sprintf("rnn: Fold: a table of %d values, want rows of %d", len(table), p.Input))
	}
	p.table = table
	for _, l := range p.layers[:p.Directions()] {
		l.fold(team, table, p.symbols())
	}
}

// symbols is how many there are for IDs: V of a folded table, else X.
func (p *Packed) symbols() int {
	if p.table == nil {
		return p.Input
	}
	return len(p.table) / p.Input
}

// FoldedSize is how many floats Fold makes for each row of the table.
func (p *Packed) FoldedSize() (size int) {
	for _, l := range p.layers[:p.Directions()] {
		size += l.folded()
	}
	return size
}

func (f *fused) folded() int { return f.panels() * kernel.Wide }

func (l *custom) folded() int { return l.gh }

func (f *fused) fold(team *nn.Team, table []float32, v int) {
	f.table = f.table.Grow(v, f.panels()*kernel.Wide)
	for p := range f.panels() {
		kernel.FillRows(cell(f.table, 0, p*kernel.Wide), f.bias[p*kernel.Wide:][:kernel.Wide], v)
	}
	team.MulAdd(f.x.weights.Panels, f.x.lanes(f.table), kernel.RowMajor(table, f.width), v)
}

func (l *custom) fold(team *nn.Team, table []float32, v int) {
	l.table = slices.Grow(l.table[:0], v*l.gh)
	for range v {
		l.table = append(l.table, l.bx...)
	}
	team.MulAdd(l.wx.Panels, kernel.RowMajor(l.table, l.gh), kernel.RowMajor(table, l.width), v)
}
