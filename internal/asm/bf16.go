package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// halves are the products of one row with bf16 weights, as vectors are those
// with float32: a 32-bit word holds a weight of an even k in its low half and
// that of the next k in its high one, so that a load gives both, one by a
// shift and one by a mask. Each sum takes its terms in the order of k.
//
//	func halfPxN(c *float32, ldc int, a *float32, width, jump int, b *uint32, ldb, k int)
//
// Strides are in bytes. width is even.
func halves(x isa) {
	mask := newConstants("halves" + x.name)
	accumulators := 16
	if x.lanes == 8 {
		accumulators = 12
	}
	for n := 1; n <= 4; n++ {
		for p := 1; p <= 4; p *= 2 {
			if count := n * 16 / x.lanes; p == 1 || p*count <= accumulators {
				half(x, p, n, count, mask.bits(0xffff0000))
			}
		}
	}
	widen(x, mask.bits(0xffff0000))
}

func half(x isa, p, n, count int, mask operand.Mem) {
	function(fmt.Sprintf("half%dx%d", p, n), x, "func(c *float32, ldc int, a *float32, width, jump int, b *uint32, ldb, k int)")
	Doc(fmt.Sprintf("half%dx%d%s is a row of %d panels of %d bf16 weights.", p, n, x.name, p, 16*n))
	a, width, jump, k := reg.RAX, reg.RBX, reg.RCX, reg.RDX
	b := rows{[]reg.GPPhysical{reg.RDI, reg.R8}[:(p+2)/3], reg.RSI}
	c, ldc, left, step, odd := reg.R9, reg.R10, reg.R11, reg.R12, reg.R13
	Load(Param("a"), a)
	Load(Param("width"), width)
	Load(Param("jump"), jump)
	Load(Param("b"), b.base[0])
	Load(Param("ldb"), b.stride)
	Load(Param("k"), k)
	Load(Param("c"), c)
	Load(Param("ldc"), ldc)
	if p > 3 {
		LEAQ(indexed(b.base[0], b.stride, 2), b.base[1])
		ADDQ(b.stride, b.base[1])
	}
	MOVQ(operand.I32(64*n), step)

	acc, rest := x.vec[:p*count], x.vec[p*count:]
	even, next, w, t := rest[0], rest[1], rest[2], rest[3]
	forC := func(move func(v reg.VecPhysical, at operand.Mem)) {
		MOVQ(c, left)
		for i := range p {
			for j := range count {
				move(acc[i*count+j], mem(left, j*x.bytes()))
			}
			if i < p-1 {
				ADDQ(ldc, left)
			}
		}
	}
	forB := func(f func(at operand.Mem, sum reg.VecPhysical)) {
		for i := range p {
			at := b.at(i)
			for j := range count {
				at.Disp = j * x.bytes()
				f(at, acc[i*count+j])
			}
		}
	}
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(at, v) })
	Label("block")
	MOVQ(width, left)
	CMPQ(k, left)
	CMOVQLT(k, left)
	SUBQ(left, k)
	MOVQ(left, odd)
	SHRQ(operand.U8(1), left)
	JZ(operand.LabelRef("last"))
	Label("loop")
	VBROADCASTSS(mem(a, 0), even)
	VBROADCASTSS(mem(a, 4), next)
	forB(func(at operand.Mem, sum reg.VecPhysical) {
		x.load(at, w)
		VPSLLD(operand.U8(16), w, t)
		VFMADD231PS(t, even, sum)
		x.and(mask, w)
		VFMADD231PS(w, next, sum)
	})
	ADDQ(operand.I8(8), a)
	b.add(step)
	DECQ(left)
	JNZ(operand.LabelRef("loop"))
	Label("last")
	TESTQ(operand.U32(1), odd)
	JZ(operand.LabelRef("whole"))
	VBROADCASTSS(mem(a, 0), even)
	forB(func(at operand.Mem, sum reg.VecPhysical) {
		x.load(at, w)
		VPSLLD(operand.U8(16), w, w)
		VFMADD231PS(w, even, sum)
	})
	Label("whole")
	ADDQ(jump, a)
	TESTQ(k, k)
	JNZ(operand.LabelRef("block"))
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(v, at) })
	VZEROUPPER()
	RET()
}

// load is an unaligned load of integers.
func (x isa) load(at operand.Mem, v reg.VecPhysical) {
	if x.lanes == 16 {
		VMOVDQU32(at, v)
	} else {
		VMOVDQU(at, v)
	}
}

// store is the way back.
func (x isa) store(v reg.VecPhysical, at operand.Mem) {
	if x.lanes == 16 {
		VMOVDQU32(v, at)
	} else {
		VMOVDQU(v, at)
	}
}

// and is v &= m.
func (x isa) and(m operand.Op, v reg.VecPhysical) {
	if x.lanes == 16 {
		VPANDD(m, v, v)
	} else {
		VPAND(m, v, v)
	}
}

// widen turns rows of pairs into floats.
//
//	func widen(dst *float32, src *uint32, lanes, pairs int)
//
// A row of 16·lanes words becomes two of as many floats.
func widen(x isa, mask operand.Mem) {
	function("widen", x, "func(dst *float32, src *uint32, lanes, pairs int)")
	Doc("widen" + x.name + " turns rows of 16·lanes pairs of bf16 weights into two rows of floats each.")
	w, t := x.vec[0], x.vec[1]
	rowsOfPairs("src", "dst", func(words, even, odd reg.GPPhysical) {
		for d := 0; d < 64; d += x.bytes() {
			x.load(mem(words, d), w)
			VPSLLD(operand.U8(16), w, t)
			x.and(mask, w)
			x.store(t, mem(even, d))
			x.store(w, mem(odd, d))
		}
	})
}

// rowsOfPairs goes through rows of 16·lanes words, as many as pairs, and the two
// rows of floats that belong to each, a lane at a time, and ends the function.
func rowsOfPairs(ofWords, ofFloats string, lane func(words, even, odd reg.GPPhysical)) {
	words, even, odd, lanes, pairs, left, row := reg.RAX, reg.RDI, reg.RSI, reg.RBX, reg.RCX, reg.RDX, reg.R8
	Load(Param(ofWords), words)
	Load(Param(ofFloats), even)
	Load(Param("lanes"), lanes)
	Load(Param("pairs"), pairs)
	MOVQ(lanes, row)
	SHLQ(operand.U8(6), row)
	Label("row")
	LEAQ(indexed(even, row, 1), odd)
	MOVQ(lanes, left)
	Label("lane")
	lane(words, even, odd)
	again("lane", left, array{words, 64}, array{even, 64}, array{odd, 64})
	MOVQ(odd, even)
	DECQ(pairs)
	JNZ(operand.LabelRef("row"))
	VZEROUPPER()
	RET()
}
