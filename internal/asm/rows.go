package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowHelpers are what is done to rows of 64 floats that follow each other. All
// lengths are at least 1.
func rowHelpers(x isa) {
	r := rowEmitter{x, newConstants("rows" + x.name)}
	r.maxRows()
	r.expSumRows()
	r.scaleRows()
	r.sumRows()
	r.sumProducts()
	r.lookUpRows()
	if x.lanes == 16 {
		rowEmitter{bf16(x), r.table}.lookUpPairs()
	}
	r.scatterRows()
	r.addTo()
}

type rowEmitter struct {
	isa
	table *constants
}

// begin begins a function and loads its arguments, in order, into registers.
func (r rowEmitter) begin(name, doc, signature string, arguments ...string) (gp []reg.GPPhysical) {
	function(name, r.isa, signature)
	Doc(name + r.name + " " + doc + ".")
	all := []reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.RSI, reg.RDI}
	for i, a := range arguments {
		Load(Param(a), all[i])
	}
	return all[:len(arguments)]
}

// array is a pointer that moves on by some bytes a row.
type array struct {
	at    reg.GPPhysical
	bytes uint32
}

// again goes back to label count times.
func again(label string, count reg.GPPhysical, arrays ...array) {
	for _, a := range arrays {
		ADDQ(operand.U32(a.bytes), a.at)
	}
	DECQ(count)
	JNZ(operand.LabelRef(label))
}

// row is vector j of the row at base.
func (r rowEmitter) row(base reg.Register, j int) operand.Mem { return mem(base, j*r.bytes()) }

// maxRows keeps the largest of the numbers: of two of which one is NaN, the
// instruction returns its second source, which comes first here.
func (r rowEmitter) maxRows() {
	gp := r.begin("maxRows", "sets top[i] to the largest of itself and row i", "func(top, x *float32, rows int)", "top", "x", "rows")
	top, x, count := gp[0], gp[1], gp[2]
	n := 16 / r.lanes
	best, t := r.vec[:n], r.vec[n]
	Label("loop")
	VBROADCASTSS(mem(top, 0), best[0])
	if n == 2 {
		VMOVUPS(best[0], best[1])
	}
	for j := range 64 / r.lanes {
		VMOVUPS(r.row(x, j), t)
		VMAXPS(best[j%n], t, best[j%n])
	}
	b := best[0]
	if n == 2 {
		VMAXPS(best[1], b, b)
	} else {
		VEXTRACTF32X8(operand.U8(1), b, t.AsY())
		VMAXPS(t.AsY(), b.AsY(), b.AsY())
	}
	VEXTRACTF128(operand.U8(1), b.AsY(), t.AsX())
	VMAXPS(t.AsX(), b.AsX(), b.AsX())
	VPERMILPS(operand.U8(0b1110), b.AsX(), t.AsX())
	VMAXPS(t.AsX(), b.AsX(), b.AsX())
	VPERMILPS(operand.U8(1), b.AsX(), t.AsX())
	VMAXSS(t.AsX(), b.AsX(), b.AsX())
	VMOVSS(b.AsX(), mem(top, 0))
	again("loop", count, array{x, rowBytes}, array{top, 4})
	end()
}

// expSumRows sums 16 lanes of float64, each over the row's four vectors, and
// then folds them.
func (r rowEmitter) expSumRows() {
	gp := r.begin("expSumRows", "sets x to exp(x − top[i]) and adds row i's sum to sum[i]", "func(sum *float64, x, top *float32, rows int)", "sum", "x", "top", "rows")
	sum, x, top, count := gp[0], gp[1], gp[2], gp[3]
	e := newElementary(r.isa, r.table)
	acc := []reg.VecPhysical{e.take(), e.take()} // as many float64s as floats
	if r.lanes == 8 {
		acc = append(acc, e.take(), e.take())
	}
	zero := e.take()
	e.keep(8, expm1Keeps...)
	e.keep(8, rounder+24, log2e, 0x1p-24, ln2Low, -104)
	Label("loop")
	VBROADCASTSS(mem(top, 0), zero)
	for from := 0; from < 64/r.lanes; from += 2 {
		e.scratch(func() {
			v := []reg.VecPhysical{e.load(r.row(x, from)), e.load(r.row(x, from+1))}
			for _, v := range v {
				VSUBPS(zero, v, v)
			}
			e.apply(call{expNegative, v[0]}, call{expNegative, v[1]})
			for i, v := range v {
				VMOVUPS(v, r.row(x, from+i))
				r.accumulate(acc, (from+i)*r.lanes, v, e.take())
			}
		})
	}
	a := r.fold(acc)
	VADDSD(mem(sum, 0), a, a)
	VMOVSD(a, mem(sum, 0))
	again("loop", count, array{x, rowBytes}, array{top, 4}, array{sum, 8})
	end()
}

// fold sums 16 lanes of float64, lane j and lane j + n/2, of n = 16, 8, 4, 2.
func (x isa) fold(acc []reg.VecPhysical) (sum reg.Register) {
	a, t := acc[0], acc[1]
	if x.lanes == 8 {
		VADDPD(acc[2], a, a)
		VADDPD(acc[3], t, t)
		VADDPD(t, a, a)
	} else {
		VADDPD(t, a, a)
		VEXTRACTF64X4(operand.U8(1), a, t.AsY())
		VADDPD(t.AsY(), a.AsY(), a.AsY())
	}
	VEXTRACTF128(operand.U8(1), a.AsY(), t.AsX())
	VADDPD(t.AsX(), a.AsX(), a.AsX())
	VPERMILPD(operand.U8(1), a.AsX(), t.AsX())
	VADDSD(t.AsX(), a.AsX(), a.AsX())
	return a.AsX()
}

// accumulate adds v, from column on, to the lanes of acc: the first 16 columns
// begin them. It spoils v.
func (r rowEmitter) accumulate(acc []reg.VecPhysical, column int, v, t reg.VecPhysical) {
	half := func(low bool, dst reg.VecPhysical) {
		switch {
		case r.lanes == 16 && low:
			VCVTPS2PD(v.AsY(), dst)
		case r.lanes == 16:
			VEXTRACTF32X8(operand.U8(1), v, v.AsY())
			VCVTPS2PD(v.AsY(), dst)
		case low:
			VCVTPS2PD(v.AsX(), dst)
		default:
			VEXTRACTF128(operand.U8(1), v, v.AsX())
			VCVTPS2PD(v.AsX(), dst)
		}
	}
	for i, low := range []bool{true, false} {
		a := acc[column%16/r.lanes*2+i]
		if column < 16 {
			half(low, a)
			continue
		}
		half(low, t)
		VADDPD(t, a, a)
	}
}

func (r rowEmitter) scaleRows() {
	gp := r.begin("scaleRows", "multiplies row i by by[i]", "func(x, by *float32, rows int)", "x", "by", "rows")
	x, by, count := gp[0], gp[1], gp[2]
	Label("loop")
	VBROADCASTSS(mem(by, 0), r.vec[0])
	for j := range 64 / r.lanes {
		VMULPS(r.row(x, j), r.vec[0], r.vec[1+j])
		VMOVUPS(r.vec[1+j], r.row(x, j))
	}
	again("loop", count, array{x, rowBytes}, array{by, 4})
	end()
}

func (r rowEmitter) sumRows() {
	gp := r.begin("sumRows", "adds one row after the other to db", "func(db, x *float32, rows int)", "db", "x", "rows")
	db, x, count := gp[0], gp[1], gp[2]
	acc := r.vec[:64/r.lanes]
	for j, v := range acc {
		VMOVUPS(r.row(db, j), v)
	}
	Label("loop")
	for j, v := range acc {
		VADDPS(r.row(x, j), v, v)
	}
	again("loop", count, array{x, rowBytes})
	for j, v := range acc {
		VMOVUPS(v, r.row(db, j))
	}
	end()
}

func (r rowEmitter) sumProducts() {
	gp := r.begin("sumProducts", "adds the products of the first 16 columns of one row after the other to db", "func(db, a, b *float32, rows int)", "db", "a", "b", "rows")
	db, a, b, count := gp[0], gp[1], gp[2], gp[3]
	n := 16 / r.lanes
	acc, v := r.vec[:n], r.vec[n]
	for j, sum := range acc {
		VMOVUPS(r.row(db, j), sum)
	}
	Label("loop")
	for j, sum := range acc {
		VMOVUPS(r.row(a, j), v)
		VFMADD231PS(r.row(b, j), v, sum)
	}
	again("loop", count, array{a, rowBytes}, array{b, rowBytes})
	for j, sum := range acc {
		VMOVUPS(sum, r.row(db, j))
	}
	end()
}

// widths emits a loop for each width that a table has, from lowest on.
func (r rowEmitter) widths(lowest int, width reg.GPPhysical, loop func(label string, vectors int)) {
	for w := lowest; w < 64; w += 16 {
		CMPQ(width, operand.U8(uint8(w)))
		JEQ(operand.LabelRef(fmt.Sprintf("width%d", w)))
	}
	for w := 64; w >= lowest; w -= 16 {
		label := fmt.Sprintf("width%d", w)
		Label(label)
		loop(label, w/r.lanes)
		end()
	}
}

// entry sets at to where the table's row of the next id is.
func entry(table, width, ids, at reg.GPPhysical) {
	MOVLQSX(mem(ids, 0), at)
	IMULQ(width, at)
	LEAQ(indexed(table, at, 4), at)
}

func (r rowEmitter) lookUpRows() {
	gp := r.begin("lookUpRows", "sets each row to bias, its first width columns to bias plus the table's row of its id; width 0 looks nothing up",
		"func(dst, bias, table *float32, width int, ids *int32, rows int)", "dst", "bias", "table", "width", "ids", "rows")
	dst, bias, table, width, ids, count, at := gp[0], gp[1], gp[2], gp[3], gp[4], gp[5], reg.R8
	n := 64 / r.lanes
	b, sum := r.vec[:n], r.vec[n:2*n]
	for j, v := range b {
		VMOVUPS(r.row(bias, j), v)
	}
	r.widths(0, width, func(label string, vectors int) {
		if vectors > 0 {
			entry(table, width, ids, at)
		}
		for j := range n {
			v := b[j]
			if j < vectors {
				v = sum[j]
				VADDPS(r.row(at, j), b[j], v)
			}
			VMOVUPS(v, r.row(dst, j))
		}
		if vectors > 0 {
			again(label, count, array{dst, rowBytes}, array{ids, 4})
		} else {
			again(label, count, array{dst, rowBytes})
		}
	})
}

// lookUpPairs is lookUpRows of a table whose rows are two of bf16 each: the
// id's last bit says which half of the words.
func (r rowEmitter) lookUpPairs() {
	gp := r.begin("lookUpPairs", "sets each row to bias, its first width columns to bias plus the table's row of its id",
		"func(dst, bias, table *float32, width int, ids *int32, rows int)", "dst", "bias", "table", "width", "ids", "rows")
	dst, bias, table, width, ids, count, at, half := gp[0], gp[1], gp[2], gp[3], gp[4], gp[5], reg.R8, reg.R9
	b, sum, shift := r.vec[:4], r.vec[4:8], r.vec[8].AsX()
	for j, v := range b {
		VMOVUPS(r.row(bias, j), v)
	}
	r.widths(16, width, func(label string, vectors int) {
		MOVLQSX(mem(ids, 0), at)
		MOVQ(at, half)
		SHRQ(operand.U8(1), at)
		IMULQ(width, at)
		LEAQ(indexed(table, at, 4), at)
		ANDQ(operand.U8(1), half)
		SHLQ(operand.U8(4), half)
		VMOVQ(half, shift)
		for j, v := range b {
			if j < vectors {
				v = sum[j]
				r.load(r.row(at, j), v)
				VPSRLD(shift, v, v)
				VPSLLD(operand.U8(16), v, v)
				VADDPS(v, b[j], v)
			}
			VMOVUPS(v, r.row(dst, j))
		}
		again(label, count, array{dst, rowBytes}, array{ids, 4})
	})
}

func (r rowEmitter) scatterRows() {
	gp := r.begin("scatterRows", "adds the first width columns of each row to the table's row of its id, one row after the other",
		"func(table *float32, width int, x *float32, ids *int32, rows int)", "table", "width", "x", "ids", "rows")
	table, width, x, ids, count, at := gp[0], gp[1], gp[2], gp[3], gp[4], reg.R8
	r.widths(16, width, func(label string, vectors int) {
		entry(table, width, ids, at)
		for j := range vectors {
			VMOVUPS(r.row(at, j), r.vec[j])
			VADDPS(r.row(x, j), r.vec[j], r.vec[j])
			VMOVUPS(r.vec[j], r.row(at, j))
		}
		again(label, count, array{x, rowBytes}, array{ids, 4})
	})
}

func (r rowEmitter) addTo() {
	gp := r.begin("addTo", "adds n vectors of 16 floats to y", "func(y, x *float32, vectors int)", "y", "x", "vectors")
	y, x, count := gp[0], gp[1], gp[2]
	Label("loop")
	for j := range 16 / r.lanes {
		VMOVUPS(r.row(y, j), r.vec[j])
		VADDPS(r.row(x, j), r.vec[j], r.vec[j])
		VMOVUPS(r.vec[j], r.row(y, j))
	}
	again("loop", count, array{y, 64}, array{x, 64})
	end()
}
