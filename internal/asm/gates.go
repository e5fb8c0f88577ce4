package main

import (
	"slices"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowBytes is from one row of an array to the next: 64 columns, for the gates
// and for the states alike, so that one index serves all arrays.
const rowBytes = 256

// operands addresses the current row of a function's arrays.
type operands struct {
	base       map[string]reg.GPPhysical
	index, end reg.GPPhysical
}

// begin begins a function over rows ≥ 1 of arrays.
func begin(x isa, name, doc string, arrays []string) operands {
	function(name, x, "func("+strings.Join(arrays, ", ")+" *float32, rows int)")
	Doc(name + x.name + " " + doc + ".")
	o := operands{map[string]reg.GPPhysical{}, reg.R8, reg.R9}
	for i, a := range arrays {
		o.base[a] = []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI, reg.R10}[i]
		Load(Param(a), o.base[a])
	}
	Load(Param("rows"), o.end)
	SHLQ(operand.U8(8), o.end)
	XORL(o.index.As32(), o.index.As32())
	return o
}

// at is d bytes on from where the row begins.
func (o operands) at(array string, d int) operand.Mem {
	if array == peepholes {
		return mem(o.base[array], d)
	}
	m := indexed(o.base[array], o.index, 1)
	m.Disp = d
	return m
}

// step goes to the next row, and sets the flags to less unless rows end here.
func (o operands) step() {
	ADDQ(operand.U32(rowBytes), o.index)
	CMPQ(o.index, o.end)
}

func end() {
	VZEROUPPER()
	RET()
}

// where is an array's vector of 16 columns, or the half of it that is at hand.
type where func(array string, vector int) operand.Mem

// gates are what the cells do beside their products, for panels of 16 units:
// a row of g is the vectors of the unit's gates.
func gates(x isa) {
	g := gateEmitter{x, newConstants("gates" + x.name)}
	g.lstm()
	g.peephole()
	g.gruForward()
	g.gruBackward()
	g.simple()
}

type gateEmitter struct {
	isa
	table *constants
}

// kernel emits one function, whose body has an emitter and the operands of 16
// columns, or of 8 with AVX2. blocks is how many times 16 columns a row has,
// and need how many registers body takes at most.
func (g gateEmitter) kernel(name, doc, arrays string, blocks, need int, keep []float32, body func(e *elementary, at where)) {
	e, o := newElementary(g.isa, g.table), begin(g.isa, name, doc, strings.Fields(arrays))
	if len(keep) > 1 { // functions
		e.keep(need, expm1Keeps...)
	}
	e.keep(need, keep...)
	Label("loop")
	for d := 0; d < 64*blocks; d += g.bytes() {
		e.scratch(func() {
			body(e, func(array string, vector int) operand.Mem { return o.at(array, 64*vector+d) })
		})
	}
	o.step()
	JLT(operand.LabelRef("loop"))
	end()
}

// scratch runs body, after which the registers that it took are free.
func (e *elementary) scratch(body func()) {
	free := slices.Clone(e.free)
	body()
	e.free = free
}

// avx2Calls is how many calls at a time twoStages makes of 16 registers.
const avx2Calls = 3

// twoStages emits a kernel with functions that wait for what the others give:
// together with those go these of the columns before, so that neither
// waits for the other. first starts the first stage: it returns its calls, and
// what is to do after them, which returns two vectors for the second stage.
// second are its calls, and last ends it.
func (g gateEmitter) twoStages(name, doc, arrays string, gates int, keep []float32,
	first func(e *elementary, at where) (calls []call, then func() (v, w reg.VecPhysical)),
	second func(v, w reg.VecPhysical) []call,
	last func(e *elementary, at where, v, w reg.VecPhysical)) {
	e, o := newElementary(g.isa, g.table), begin(g.isa, name, doc, strings.Fields(arrays))
	v, w := e.take(), e.take()
	calls := gates + 1
	if e.lanes == 8 {
		calls = min(calls, avx2Calls)
	}
	e.keep(gates+3*calls, expm1Keeps...)
	e.keep(gates+3*calls, keep...)
	at := func(d int) where {
		return func(array string, vector int) operand.Mem { return o.at(array, 64*vector+d) }
	}
	stages := func(at, before where) {
		e.scratch(func() {
			calls, then := first(e, at)
			if before != nil {
				calls = append(calls, second(v, w)...)
			}
			e.apply(calls...)
			if before != nil {
				last(e, before, v, w)
			}
			a, b := then()
			VMOVUPS(a, v)
			VMOVUPS(b, w)
		})
	}
	tail := 64 - g.bytes() // where the last columns of a row begin
	stages(at(0), nil)
	JMP(operand.LabelRef("middle"))
	Label("loop")
	stages(at(0), at(tail-rowBytes))
	Label("middle")
	for d := g.bytes(); d < 64; d += g.bytes() {
		stages(at(d), at(d-g.bytes()))
	}
	o.step()
	JLT(operand.LabelRef("loop"))
	e.apply(second(v, w)...)
	last(e, at(tail-rowBytes), v, w)
	end()
}

// tanhOfFirst are the calls of a second stage that is tanh alone.
func tanhOfFirst(v, _ reg.VecPhysical) []call { return []call{{tanh, v}} }

// load takes a register and loads it.
func (e *elementary) load(m operand.Mem) reg.VecPhysical {
	v := e.take()
	VMOVUPS(m, v)
	return v
}

// derivative takes a register for (1−s)·s, the derivative of s = σ, times by.
func (e *elementary) derivative(s, by reg.VecPhysical) reg.VecPhysical {
	v := e.take()
	VMOVUPS(e.f32(1), v)
	VSUBPS(s, v, v)
	VMULPS(s, v, v)
	VMULPS(by, v, v)
	return v
}

// oneMinusSquare takes a register for 1 − t², the derivative of t = tanh.
func (e *elementary) oneMinusSquare(t reg.VecPhysical) reg.VecPhysical {
	v := e.take()
	VMOVUPS(e.f32(1), v)
	VFNMADD231PS(t, t, v)
	return v
}

func (e *elementary) zero(m operand.Mem) {
	v := e.take()
	VXORPS(v.AsX(), v.AsX(), v.AsX())
	VMOVUPS(v, m)
	e.give(v)
}

func (g gateEmitter) lstm() {
	g.twoStages("lstmForward", "turns pre-activations into gates and makes the next c and h",
		"gates cPrev c h", 4, []float32{rounder, rounder - 24, log2e, -log2e},
		func(e *elementary, at where) ([]call, func() (v, w reg.VecPhysical)) {
			i, f, c, o := e.load(at("gates", 0)), e.load(at("gates", 1)), e.load(at("gates", 2)), e.load(at("gates", 3))
			return []call{{sigmoid, i}, {tanh, c}, {sigmoid, f}, {sigmoid, o}}, func() (v, w reg.VecPhysical) {
				for j, v := range []reg.VecPhysical{i, f, c, o} {
					VMOVUPS(v, at("gates", j))
				}
				VMULPS(i, c, c)
				VFMADD231PS(at("cPrev", 0), f, c)
				VMOVUPS(c, at("c", 0))
				return c, o
			}
		},
		tanhOfFirst,
		func(e *elementary, at where, c, o reg.VecPhysical) {
			VMULPS(o, c, c)
			VMOVUPS(c, at("h", 0))
		})
	g.kernel("lstmBackward", "turns gates into the gradients of their pre-activations",
		"gates cPrev c dh dc dy", 1, 10, tanhKeeps, func(e *elementary, at where) {
			a, dc, do := e.outputBackward(at)
			e.give(do)
			_, _, dc = e.cellBackward(at, a, dc)
			VMOVUPS(dc, at("dc", 0))
			e.zero(at("dh", 0))
		})
}

// outputBackward stores the gradient do of the output gate's pre-activation, and
// returns it, that of c, and a free register.
func (e *elementary) outputBackward(at where) (a, dc, do reg.VecPhysical) {
	t := e.load(at("c", 0))
	e.apply(call{tanh, t})
	d := e.load(at("dh", 0))
	VADDPS(at("dy", 0), d, d)
	o := e.load(at("gates", 3))
	a = e.take()
	VMULPS(t, d, a)
	do = e.derivative(o, a)
	VMOVUPS(do, at("gates", 3))
	VMULPS(o, d, d)
	dc = e.load(at("dc", 0))
	VFMADD231PS(e.oneMinusSquare(t), d, dc)
	e.give(t, d, o)
	return a, dc, do
}

// cellBackward stores those of the other gates, di, df and dg, given that of c,
// and returns what reaches cPrev through the forget gate.
func (e *elementary) cellBackward(at where, a, dc reg.VecPhysical) (di, df, dcPrev reg.VecPhysical) {
	i, f, c := e.load(at("gates", 0)), e.load(at("gates", 1)), e.load(at("gates", 2))
	VMULPS(c, dc, a)
	di = e.derivative(i, a)
	VMULPS(at("cPrev", 0), dc, a)
	df = e.derivative(f, a)
	dg := e.oneMinusSquare(c)
	VMULPS(i, dg, dg)
	VMULPS(dc, dg, dg)
	VMULPS(f, dc, dc)
	VMOVUPS(di, at("gates", 0))
	VMOVUPS(df, at("gates", 1))
	VMOVUPS(dg, at("gates", 2))
	return di, df, dc
}

// next emits h = n + z·(hPrev − n), in n.
func (e *elementary) next(n, z reg.VecPhysical, hPrev, h operand.Mem) {
	v := e.load(hPrev)
	VSUBPS(n, v, v)
	VFMADD231PS(v, z, n)
	VMOVUPS(n, h)
}

func (g gateEmitter) gruForward() {
	g.twoStages("gruForward", "turns pre-activations into gates and makes the next h, reset after the product",
		"gates hPrev h", 2, append(sigmoidKeeps[:len(sigmoidKeeps):len(sigmoidKeeps)], log2e, rounder),
		func(e *elementary, at where) ([]call, func() (v, w reg.VecPhysical)) {
			r, z := e.load(at("gates", 1)), e.load(at("gates", 2))
			return []call{{sigmoid, r}, {sigmoid, z}}, func() (v, w reg.VecPhysical) {
				VMOVUPS(r, at("gates", 1))
				VMOVUPS(z, at("gates", 2))
				n := e.load(at("gates", 0))
				VFMADD231PS(at("gates", 3), r, n)
				return n, z
			}
		},
		tanhOfFirst,
		func(e *elementary, at where, n, z reg.VecPhysical) {
			VMOVUPS(n, at("gates", 0))
			e.next(n, z, at("hPrev", 0), at("h", 0))
		})
	g.kernel("gruReset", "makes r and z and what r leaves of the state, reset before the product",
		"gates hPrev rh", 1, 8, sigmoidKeeps, func(e *elementary, at where) {
			r, z := e.load(at("gates", 1)), e.load(at("gates", 2))
			e.apply(call{sigmoid, r}, call{sigmoid, z})
			VMOVUPS(r, at("gates", 1))
			VMOVUPS(z, at("gates", 2))
			VMULPS(at("hPrev", 0), r, r)
			VMOVUPS(r, at("rh", 0))
		})
	g.kernel("gruNext", "makes n and the next h after gruReset",
		"gates hPrev h", 1, 5, tanhKeeps, func(e *elementary, at where) {
			n, z := e.load(at("gates", 0)), e.load(at("gates", 2))
			e.apply(call{tanh, n})
			VMOVUPS(n, at("gates", 0))
			e.next(n, z, at("hPrev", 0), at("h", 0))
		})
}

// nextBackward stores dz and the gradient of hPrev through z, and returns dn.
func (e *elementary) nextBackward(at where) (dn reg.VecPhysical) {
	d := e.load(at("dh", 0))
	VADDPS(at("dy", 0), d, d)
	n, z, a := e.load(at("gates", 0)), e.load(at("gates", 2)), e.load(at("hPrev", 0))
	VSUBPS(n, a, a)
	VMULPS(d, a, a)
	dz := e.derivative(z, a)
	dn = e.oneMinusSquare(n)
	VMOVUPS(e.f32(1), a)
	VSUBPS(z, a, a)
	VMULPS(d, a, a)
	VMULPS(a, dn, dn)
	VMULPS(z, d, d)
	VMOVUPS(dz, at("gates", 2))
	VMOVUPS(d, at("dh", 0))
	return dn
}

func (g gateEmitter) gruBackward() {
	g.kernel("gruBackward", "turns gates into gradients, reset after the product",
		"gates hPrev dh dy", 1, 8, []float32{1}, func(e *elementary, at where) {
			dn := e.nextBackward(at)
			r, a := e.load(at("gates", 1)), e.take()
			VMULPS(at("gates", 3), dn, a)
			dr := e.derivative(r, a)
			VMULPS(dn, r, r)
			VMOVUPS(dn, at("gates", 0))
			VMOVUPS(dr, at("gates", 1))
			VMOVUPS(r, at("gates", 3))
		})
	g.kernel("gruNextBackward", "turns n and z into their gradients, reset before the product",
		"gates hPrev dh dy", 1, 8, []float32{1}, func(e *elementary, at where) {
			VMOVUPS(e.nextBackward(at), at("gates", 0))
		})
	g.kernel("gruResetBackward", "turns r into its gradient after gruNextBackward and the product",
		"gates hPrev dh drh", 1, 8, []float32{1}, func(e *elementary, at where) {
			d, r, dh, a := e.load(at("drh", 0)), e.load(at("gates", 1)), e.load(at("dh", 0)), e.take()
			VMULPS(at("hPrev", 0), d, a)
			VMOVUPS(e.derivative(r, a), at("gates", 1))
			VFMADD231PS(r, d, dh)
			VMOVUPS(dh, at("dh", 0))
		})
}

func (g gateEmitter) simple() {
	g.kernel("tanhForward", "makes h = tanh(g)",
		"gates h", 4, 4, tanhKeeps, func(e *elementary, at where) {
			h := e.load(at("gates", 0))
			e.apply(call{tanh, h})
			VMOVUPS(h, at("h", 0))
		})
	g.kernel("reluForward", "makes h = max(0, g)",
		"gates h", 4, 3, nil, func(e *elementary, at where) {
			h, zero := e.load(at("gates", 0)), e.take()
			VXORPS(zero.AsX(), zero.AsX(), zero.AsX())
			VMAXPS(h, zero, h)
			VMOVUPS(h, at("h", 0))
		})
	g.kernel("tanhBackward", "makes g the gradient of its pre-activation",
		"gates h dh dy", 4, 4, []float32{1}, func(e *elementary, at where) {
			d := e.load(at("dh", 0))
			VADDPS(at("dy", 0), d, d)
			VMULPS(e.oneMinusSquare(e.load(at("h", 0))), d, d)
			VMOVUPS(d, at("gates", 0))
			e.zero(at("dh", 0))
		})
	g.kernel("reluBackward", "makes g the gradient of its pre-activation",
		"gates h dh dy", 4, 3, nil, func(e *elementary, at where) {
			d := e.load(at("dh", 0))
			VADDPS(at("dy", 0), d, d)
			e.unlessNegative(e.load(at("h", 0)), d)
			VMOVUPS(d, at("gates", 0))
			e.zero(at("dh", 0))
		})
}

// unlessNegative clears the lanes of d where h ≤ 0.
func (e *elementary) unlessNegative(h, d reg.VecPhysical) {
	const unordered = 6 // not ≤, so NaN keeps its gradient
	zero := e.take()
	VXORPS(zero.AsX(), zero.AsX(), zero.AsX())
	if e.lanes == 16 {
		VCMPPS(operand.U8(unordered), zero, h, reg.K1)
		VMOVUPS_Z(d, reg.K1, d)
		return
	}
	VCMPPS(operand.U8(unordered), zero, h, zero)
	VANDPS(zero, d, d)
}
