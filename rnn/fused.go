package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// fused is a built-in cell's layer and direction, packed. The gates of a step
// stand in panels of 16 units (64 for the RNN), a row of a panel being 64
// floats: a lane of 16 for each gate. What the product with x adds to and what
// the product with h adds to are lanes side by side, so that all is summed in
// place, and the cell's function then turns a panel's sums into gates and
// states while they are in the cache.
type fused struct {
	kernels
	config        Config
	hidden, width int             // H, X
	hsize         int             // of h: H, with a projection P
	states        int             // S
	panel         int             // units of a panel
	x, h          product         // of x and h
	r             product         // of r ⊙ h
	before        bool            // the reset comes before: there is r
	bias          []float32       // (panels, 64) what a row of a panel starts from
	table         kernel.Matrix   // (V, panels · 64) what it is with a row of a folded table, or empty
	hr            *kernel.Weights // Whr, nil without a projection
	hrAt          int             // its place among the tensors
	peepholes     []float32       // (panels, 64) in the lanes of their gates
	peepholesAt   int             // their place among the tensors, -1 without
	mixed         bool            // products are of bf16
	rounds        bool            // products round what they multiply the weights with
}

// product is a product's weights and the lanes that it fills.
type product struct {
	first   int // lane
	order   kernel.Order
	weights *kernel.Weights
}

// kernels is what is a cell's own of the fused layer.
type kernels interface {
	steps() phases
	// after is the state vector that backward reads as forward has made it, -1
	// if there is none.
	after() int
	// lane is where a vector of Layout.Tape stands.
	lane(name string) int
	// forward runs a phase of panels [from, to), backward one of units.
	forward(w *fusedWay, phase int, s stretch, from, to int)
	backward(w *fusedWay, phase int, s stretch, u units)
}

// newFused makes a layer of which x, h and r name the gates, numbers of those
// in a weight matrix, in the order of the lanes from the given one.
func newFused(k kernels, c Config, width, states int, x, h, r product) *fused {
	for _, p := range []*product{&x, &h, &r} {
		p.weights = new(kernel.Weights)
	}
	f := &fused{
		kernels: k, config: c, hidden: c.Hidden, hsize: c.HSize(), width: width, states: states, x: x, h: h, r: r, before: r.order.Gates != nil, panel: kernel.Lane,
		hrAt: c.place("weight_hr"), peepholesAt: c.place("weight_peephole"),
	}
	if f.hrAt >= 0 {
		f.hr = new(kernel.Weights)
	}
	if x.order.Gates == nil {
		f.panel = kernel.Wide
	}
	return f
}

// lanes is m without the lanes that are not the product's.
func (p *product) lanes(m kernel.Matrix) kernel.Matrix {
	if p.order.Gates == nil {
		return m
	}
	return m.Lanes(p.first, p.first+len(p.order.Gates))
}

// eachLane calls f with each lane of a panel and the rows of the weights that
// it holds, of n rows.
func (p *product) eachLane(panel, n int, f func(lane, row, count int)) {
	for l := range p.order.Lanes() {
		if row, count := p.order.Lane(panel, l, n); count > 0 {
			f(p.first+l, row, count)
		}
	}
}

func (f *fused) pack(team *nn.Team, tensors [][]float32, as nn.Precision) {
	rows := len(tensors[1])
	f.mixed, f.rounds = as == nn.Mixed, as == nn.Mixed || as == nn.Int8
	f.table.Data = f.table.Data[:0]
	f.x.weights.Pack(team, as, tensors[0], rows, f.width, f.x.order)
	f.h.weights.Pack(team, as, tensors[2], rows, f.hsize, f.h.order)
	if f.before {
		f.r.weights.Pack(team, as, tensors[2], rows, f.hidden, f.r.order)
	}
	if f.hr != nil {
		f.hr.Pack(team, as, tensors[f.hrAt], f.hsize, f.hidden, kernel.Order{})
	}
	if f.peepholesAt >= 0 {
		f.packPeepholes(tensors[f.peepholesAt])
	}
	f.bias = nn.Grow(f.bias, f.panels()*kernel.Wide)
	clear(f.bias)
	for panel := range f.panels() {
		f.biasesOf(tensors, panel, func(lane int, b []float32) {
			at := f.bias[panel*kernel.Wide+lane*kernel.Lane:]
			for i, v := range b {
				at[i] += v
			}
		})
	}
}

// biasesOf calls call with the part of each bias, or of its gradient, that belongs
// to a lane of a panel.
func (f *fused) biasesOf(tensors [][]float32, panel int, call func(lane int, b []float32)) {
	each := func(p *product, b []float32) {
		p.eachLane(panel, len(b), func(lane, row, count int) { call(lane, b[row:row+count]) })
	}
	each(&f.x, tensors[1])
	if f.config.Biases == 2 {
		each(&f.h, tensors[3])
		if f.before {
			each(&f.r, tensors[3])
		}
	}
}

// panels is how many there are.
func (f *fused) panels() int { return (f.hidden + f.panel - 1) / f.panel }

// of is the panels of units.
func (f *fused) of(u units) (from, to int) {
	return u.from / f.panel, (u.to + f.panel - 1) / f.panel
}

func (f *fused) way(old way) way {
	w, ok := old.(*fusedWay)
	if !ok {
		w = new(fusedWay)
	}
	w.fused = f
	return w
}
