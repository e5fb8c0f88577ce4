package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposes is one function, of AVX2 alone, which AVX-512 has too.
//
//	func transpose8(dst *float32, ldd int, src *float32, lds, n int)
//
// sets dst[j·ldd+i] = src[i·lds+j] for 8 rows i and 8·n columns j. Strides are
// in bytes.
func transposes(x isa) {
	if x.lanes != 8 {
		return
	}
	function("transpose8", x, "func(dst *float32, ldd int, src *float32, lds, n int)")
	Doc("transpose8AVX2 transposes 8 rows of 8·n floats.")
	dst := rows{[]reg.GPPhysical{reg.RDI, reg.R8, reg.R9}, reg.R10}
	src := rows{[]reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX}, reg.RDX}
	n, next := reg.RSI, reg.R11
	Load(Param("dst"), dst.base[0])
	Load(Param("ldd"), dst.stride)
	Load(Param("src"), src.base[0])
	Load(Param("lds"), src.stride)
	Load(Param("n"), n)
	for _, r := range []rows{dst, src} {
		for i := range 2 {
			LEAQ(indexed(r.base[i], r.stride, 2), r.base[i+1])
			ADDQ(r.stride, r.base[i+1])
		}
	}
	MOVQ(dst.stride, next)
	SHLQ(operand.U8(3), next)

	a, b := x.vec[:8], x.vec[8:16]
	Label("loop")
	// Rows i and i+4 share a register, so that no move crosses its halves later.
	for i := range 4 {
		low, high := src.at(i), src.at(i+4)
		VMOVUPS(low, a[i].AsX())
		VINSERTF128(operand.U8(1), high, a[i], a[i])
		low.Disp, high.Disp = 16, 16
		VMOVUPS(low, a[i+4].AsX())
		VINSERTF128(operand.U8(1), high, a[i+4], a[i+4])
	}
	for h := 0; h < 8; h += 4 {
		VUNPCKLPS(a[h+1], a[h], b[h])
		VUNPCKHPS(a[h+1], a[h], b[h+1])
		VUNPCKLPS(a[h+3], a[h+2], b[h+2])
		VUNPCKHPS(a[h+3], a[h+2], b[h+3])
		VSHUFPS(operand.U8(0x44), b[h+2], b[h], a[h])
		VSHUFPS(operand.U8(0xEE), b[h+2], b[h], a[h+1])
		VSHUFPS(operand.U8(0x44), b[h+3], b[h+1], a[h+2])
		VSHUFPS(operand.U8(0xEE), b[h+3], b[h+1], a[h+3])
	}
	for j := range 8 {
		VMOVUPS(a[j], dst.at(j))
	}
	for _, r := range src.base {
		ADDQ(operand.I8(32), r)
	}
	dst.add(next)
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	VZEROUPPER()
	RET()
}
