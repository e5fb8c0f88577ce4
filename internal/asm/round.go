package main

import (
	"encoding/binary"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bf16 is AVX-512 with the dot product of bf16 pairs: a word of 32 bits holds a
// number of an even k in its low half and that of the next k in its high one.
func bf16(x isa) isa {
	x.name, x.pairs = "BF16", true
	return x
}

// multiplyAdd is sum += a·b, of bf16 two products for one.
func (x isa) multiplyAdd(a, b, sum reg.VecPhysical) {
	if !x.pairs {
		VFMADD231PS(a, b, sum)
		return
	}
	// VDPBF16PS a, b, sum, which neither avo nor the assembler knows:
	// EVEX.512.F3.0F38.W0 52 /r.
	bit := func(v reg.VecPhysical, n, to int) uint8 { return uint8(v.PhysicalIndex()) >> n & 1 << to }
	p0 := 0b1111_0010 ^ (bit(sum, 3, 7) | bit(a, 4, 6) | bit(a, 3, 5) | bit(sum, 4, 4))
	p1 := 0b0111_1110 ^ uint8(b.PhysicalIndex())&15<<3
	p2 := 0b0100_1000 ^ bit(b, 4, 3)
	modrm := 0b1100_0000 | uint8(sum.PhysicalIndex())&7<<3 | uint8(a.PhysicalIndex())&7
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []operand.Op{operand.U32(binary.LittleEndian.Uint32([]byte{0x62, p0, p1, p2}))}})
	Instruction(&ir.Instruction{Opcode: "WORD", Operands: []operand.Op{operand.U16(binary.LittleEndian.Uint16([]byte{0x52, modrm}))}})
}

// bf16Rounder rounds floats to bf16, nearest even, the last 16 bits being anything.
// What would round to infinity, and what is not finite, is cut off instead.
type bf16Rounder struct {
	isa
	odd, half, sign, top reg.VecPhysical // constants
	t, m                 reg.VecPhysical
}

func (x isa) bf16Rounder(p *pool, table *constants) bf16Rounder {
	r := bf16Rounder{isa: x, odd: p.take(), half: p.take(), sign: p.take(), top: p.take(), t: p.take(), m: p.take()}
	for _, c := range []struct {
		v    reg.VecPhysical
		bits uint32
	}{{r.odd, 1}, {r.half, 0x7fff}, {r.sign, 0x7fffffff}, {r.top, 0x7f7f8000}} {
		x.load(table.bits(c.bits), c.v)
	}
	return r
}

// round rounds v.
func (r bf16Rounder) round(v reg.VecPhysical) {
	VPSRLD(operand.U8(16), v, r.t)
	r.and(r.odd, r.t)
	VPADDD(r.half, r.t, r.t)
	if r.lanes == 16 {
		VPANDD(r.sign, v, r.m)
		VPCMPUD(operand.U8(1), r.top, r.m, reg.K1) // m < top
		VPADDD(r.t, v, reg.K1, v)
	} else {
		VPAND(r.sign, v, r.m)
		VPCMPGTD(r.m, r.top, r.m) // top > m
		VPAND(r.m, r.t, r.t)
		VPADDD(r.t, v, v)
	}
}

// roundings turn floats into what products of bf16 take.
func roundings(x isa) {
	table := newConstants("roundings" + x.name)
	roundFloats(x, table)
	if x.lanes == 16 {
		roundRow(bf16(x), table)
		narrow(bf16(x), table)
	}
}

// roundFloats leaves floats whose last 16 bits are zero.
//
//	func roundFloats(dst, src *float32, lanes int)
func roundFloats(x isa, table *constants) {
	function("roundFloats", x, "func(dst, src *float32, lanes int)")
	Doc("roundFloats" + x.name + " rounds lanes of 16 floats to bf16.")
	dst, src, count := reg.RDI, reg.RSI, reg.RCX
	Load(Param("dst"), dst)
	Load(Param("src"), src)
	Load(Param("lanes"), count)
	p := x.pool()
	r := x.bf16Rounder(p, table)
	mask, v := p.take(), p.take()
	x.load(table.bits(0xffff0000), mask)
	Label("lane")
	for d := 0; d < 64; d += x.bytes() {
		x.load(mem(src, d), v)
		r.round(v)
		x.and(mask, v)
		x.store(v, mem(dst, d))
	}
	again("lane", count, array{dst, 64}, array{src, 64})
	VZEROUPPER()
	RET()
}

// roundRow makes pairs of neighbours in a row in blocks.
//
//	func roundRow(dst *float32, a *float32, width, jump, k int)
func roundRow(x isa, table *constants) {
	function("roundRow", x, "func(dst *float32, a *float32, width, jump, k int)")
	Doc("roundRow" + x.name + " rounds k floats of a row to pairs of bf16.")
	dst := reg.RDI
	Load(Param("dst"), dst)
	p := x.pool()
	r := x.bf16Rounder(p, table)
	v := p.take()
	x.inBlocks(func(a reg.GPPhysical) {
		x.load(mem(a, 0), v)
		r.round(v)
		VPSRLD(operand.U8(16), v, v)
		VPMOVDW(v, mem(dst, 0))
		ADDQ(operand.I8(32), dst)
	})
	VZEROUPPER()
	RET()
}

// narrow makes pairs of rows: the way back from widen. dst may be src.
//
//	func narrow(dst *float32, src *float32, lanes, pairs int)
func narrow(x isa, table *constants) {
	function("narrow", x, "func(dst *float32, src *float32, lanes, pairs int)")
	Doc("narrow" + x.name + " rounds two rows of 16·lanes floats to one of pairs of bf16.")
	p := x.pool()
	r := x.bf16Rounder(p, table)
	mask, e, o := p.take(), p.take(), p.take()
	x.load(table.bits(0xffff0000), mask)
	rowsOfPairs("dst", "src", func(words, even, odd reg.GPPhysical) {
		x.load(mem(even, 0), e)
		x.load(mem(odd, 0), o)
		r.round(e)
		r.round(o)
		VPSRLD(operand.U8(16), e, e)
		x.and(mask, o)
		VPORD(o, e, e)
		x.store(e, mem(words, 0))
	})
}
