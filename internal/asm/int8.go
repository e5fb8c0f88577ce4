package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bytes are the products of int8 weights with rows of unsigned bytes, four k's
// in a 32-bit word of either. A panel begins with what its sums, int32, start
// from. They are exact, so that all ways to take them agree. At the end
//
//	c += float32(sum) · (by · scale)
//
// each operation rounded by itself.
//
//	func bytePxN(c *float32, ldc int, a *uint8, b *int8, ldb, k int, scale *float32, lds int, by float32)
//	func byteRowsMxN(c *float32, ldc int, a *uint8, lda int, b *int8, k int, scale, by *float32)
//
// The first is a row of p panels, the second m rows of one. Strides are in
// bytes, k is the number of words, at least 1.
func bytes(x isa) {
	even := newConstants("bytes" + x.name).bits(0x00ff00ff)
	accumulators := 16
	if x.lanes == 8 {
		accumulators = 8
	}
	for n := 1; n <= 4; n++ {
		for p := 1; p <= 4; p *= 2 {
			if count := n * 16 / x.lanes; p*count <= accumulators {
				byteProduct(x, p, n, count, even)
			}
		}
	}
	magnitude(x)
	toBytes(x)
	if x.lanes == 16 {
		vnni := x
		vnni.name = "VNNI"
		for n := 1; n <= 4; n++ {
			for p := 1; p <= 4; p *= 2 {
				byteProduct(vnni, p, n, n, even)
			}
			for m := 2; m <= 4; m++ {
				byteRows(vnni, m, n)
			}
		}
	}
}

// dot adds the products of the bytes of words at to sums. Without VNNI, the
// bytes of even and odd k's are words of 16 bits in turn.
type dot struct {
	x              isa
	a, odd, w, t   reg.VecPhysical
	mask           operand.Mem
	broadcast, add func(at operand.Mem, sum reg.VecPhysical)
}

func (x isa) dot(free []reg.VecPhysical, mask operand.Mem) dot {
	d := dot{x: x, a: free[0], odd: free[1], w: free[2], t: free[3], mask: mask}
	if x.name == "VNNI" {
		d.broadcast = func(at operand.Mem, _ reg.VecPhysical) { VPBROADCASTD(at, d.a) }
		d.add = func(at operand.Mem, sum reg.VecPhysical) { VPDPBUSD(at, d.a, sum) }
		return d
	}
	d.broadcast = func(at operand.Mem, _ reg.VecPhysical) {
		VPBROADCASTD(at, d.a)
		VPSRLW(operand.U8(8), d.a, d.odd)
		x.and(mask, d.a)
	}
	d.add = func(at operand.Mem, sum reg.VecPhysical) {
		x.load(at, d.w)
		VPSLLW(operand.U8(8), d.w, d.t)
		VPSRAW(operand.U8(8), d.w, d.w)
		VPSRAW(operand.U8(8), d.t, d.t)
		VPMADDWD(d.a, d.t, d.t)
		VPMADDWD(d.odd, d.w, d.w)
		VPADDD(d.t, sum, sum)
		VPADDD(d.w, sum, sum)
	}
	return d
}

func byteProduct(x isa, p, n, count int, mask operand.Mem) {
	function(fmt.Sprintf("byte%dx%d", p, n), x, "func(c *float32, ldc int, a *uint8, b *int8, ldb, k int, scale *float32, lds int, by float32)")
	Doc(fmt.Sprintf("byte%dx%d%s is a row of %d panels of %d int8 weights.", p, n, x.name, p, 16*n))
	a, k, c, ldc, scale, lds, step := reg.RAX, reg.RDX, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13
	b := rows{[]reg.GPPhysical{reg.RDI, reg.R8}[:(p+2)/3], reg.RSI}
	Load(Param("a"), a)
	Load(Param("b"), b.base[0])
	Load(Param("ldb"), b.stride)
	Load(Param("k"), k)
	Load(Param("c"), c)
	Load(Param("ldc"), ldc)
	Load(Param("scale"), scale)
	Load(Param("lds"), lds)
	if p > 3 {
		LEAQ(indexed(b.base[0], b.stride, 2), b.base[1])
		ADDQ(b.stride, b.base[1])
	}
	MOVQ(operand.I32(64*n), step)
	rest, acc := x.vec[:4], x.vec[4:4+p*count]
	d := x.dot(rest, mask)
	forB := func(f func(at operand.Mem, sum reg.VecPhysical)) {
		for i := range p {
			at := b.at(i)
			for j := range count {
				at.Disp = j * x.bytes()
				f(at, acc[i*count+j])
			}
		}
		b.add(step)
	}
	forB(x.load)
	Label("loop")
	d.broadcast(mem(a, 0), nil)
	forB(d.add)
	ADDQ(operand.I8(4), a)
	DECQ(k)
	JNZ(operand.LabelRef("loop"))

	by, t := rest[0], rest[1]
	x.scalar("by", by, false)
	for i := range p {
		for j := range count {
			x.addScaled(acc[i*count+j], by, t, mem(scale, j*x.bytes()), mem(c, j*x.bytes()))
		}
		if i < p-1 {
			ADDQ(ldc, c)
			ADDQ(lds, scale)
		}
	}
	VZEROUPPER()
	RET()
}

// addScaled is c += float32(sum) · (by · scale).
func (x isa) addScaled(sum, by, t reg.VecPhysical, scale, c operand.Mem) {
	VMULPS(scale, by, t)
	VCVTDQ2PS(sum, sum)
	VMULPS(t, sum, sum)
	VADDPS(c, sum, sum)
	VMOVUPS(sum, c)
}

func byteRows(x isa, m, n int) {
	function(fmt.Sprintf("byteRows%dx%d", m, n), x, "func(c *float32, ldc int, a *uint8, lda int, b *int8, k int, scale, by *float32)")
	Doc(fmt.Sprintf("byteRows%dx%d%s is %d rows of a panel of %d int8 weights.", m, n, x.name, m, 16*n))
	a := rows{[]reg.GPPhysical{reg.RAX, reg.RBX}[:(m+2)/3], reg.RCX}
	k, b, c, ldc, scale, by := reg.RDX, reg.RDI, reg.R9, reg.R10, reg.R11, reg.R12
	Load(Param("a"), a.base[0])
	Load(Param("lda"), a.stride)
	if m > 3 {
		LEAQ(indexed(a.base[0], a.stride, 2), a.base[1])
		ADDQ(a.stride, a.base[1])
	}
	Load(Param("b"), b)
	Load(Param("k"), k)
	Load(Param("c"), c)
	Load(Param("ldc"), ldc)
	Load(Param("scale"), scale)
	Load(Param("by"), by)
	acc, rest := x.vec[:m*n], x.vec[m*n:]
	w, broadcast := rest[:n], rest[n:n+m]
	for j := range n {
		x.load(mem(b, j*x.bytes()), acc[j])
		for i := 1; i < m; i++ {
			VMOVDQA32(acc[j], acc[i*n+j])
		}
	}
	ADDQ(operand.I32(64*n), b)
	Label("loop")
	for j := range n {
		x.load(mem(b, j*x.bytes()), w[j])
	}
	for i := range m {
		VPBROADCASTD(a.at(i), broadcast[i])
		for j := range n {
			VPDPBUSD(w[j], broadcast[i], acc[i*n+j])
		}
	}
	for _, base := range a.base {
		ADDQ(operand.I8(4), base)
	}
	ADDQ(operand.I32(64*n), b)
	DECQ(k)
	JNZ(operand.LabelRef("loop"))
	for i := range m {
		VBROADCASTSS(mem(by, 4*i), rest[0])
		for j := range n {
			x.addScaled(acc[i*n+j], rest[0], rest[1], mem(scale, j*x.bytes()), mem(c, j*x.bytes()))
		}
		if i < m-1 {
			ADDQ(ldc, c)
		}
	}
	VZEROUPPER()
	RET()
}

// magnitude is the bits of the largest |x| of a row in blocks, those of a NaN
// above all.
//
//	func magnitude(a *float32, width, jump, k int) uint32
//
// jump is in bytes, after each width floats. width and k, at least 1, are
// multiples of 16.
func magnitude(x isa) {
	function("magnitude", x, "func(a *float32, width, jump, k int) uint32")
	Doc("magnitude" + x.name + " is the bits of the largest |x| of a row.")
	mask := newConstants("magnitude" + x.name).bits(0x7fffffff)
	top, t := x.vec[0], x.vec[1]
	VPXOR(top.AsX(), top.AsX(), top.AsX())
	x.inBlocks(func(a reg.GPPhysical) {
		for d := 0; d < 64; d += x.bytes() {
			x.load(mem(a, d), t)
			x.and(mask, t)
			VPMAXSD(t, top, top)
		}
	})
	if x.lanes == 16 {
		VEXTRACTI64X4(operand.U8(1), top, t.AsY())
		VPMAXSD(t.AsY(), top.AsY(), top.AsY())
	}
	VEXTRACTI128(operand.U8(1), top.AsY(), t.AsX())
	VPMAXSD(t.AsX(), top.AsX(), top.AsX())
	for _, order := range []uint8{0x4e, 0xb1} {
		VPSHUFD(operand.U8(order), top.AsX(), t.AsX())
		VPMAXSD(t.AsX(), top.AsX(), top.AsX())
	}
	VMOVD(top.AsX(), reg.EAX)
	VZEROUPPER()
	Store(reg.EAX, ReturnIndex(0))
	RET()
}

// inBlocks runs body for each 16 floats of a row.
func (x isa) inBlocks(body func(a reg.GPPhysical)) {
	a, width, jump, k, left := reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R11
	Load(Param("a"), a)
	Load(Param("width"), width)
	Load(Param("jump"), jump)
	Load(Param("k"), k)
	Label("block")
	MOVQ(width, left)
	CMPQ(k, left)
	CMOVQLT(k, left)
	SUBQ(left, k)
	Label("loop")
	body(a)
	ADDQ(operand.I8(64), a)
	SUBQ(operand.I8(16), left)
	JNZ(operand.LabelRef("loop"))
	ADDQ(jump, a)
	TESTQ(k, k)
	JNZ(operand.LabelRef("block"))
}

// toBytes rounds a row in blocks, times by, to bytes from −127 to 127, and
// adds 128.
//
//	func toBytes(dst *uint8, a *float32, width, jump, k int, by float32)
func toBytes(x isa) {
	function("toBytes", x, "func(dst *uint8, a *float32, width, jump, k int, by float32)")
	Doc("toBytes" + x.name + " rounds a row, times by, to bytes and adds 128.")
	dst, by, u, v, flip := reg.RDI, x.vec[0], x.vec[1], x.vec[2], x.vec[3]
	Load(Param("dst"), dst)
	x.scalar("by", by, false)
	VBROADCASTSS(newConstants("flip"+x.name).bits(0x80808080), flip.AsX())
	x.inBlocks(func(a reg.GPPhysical) {
		VMULPS(mem(a, 0), by, u)
		VCVTPS2DQ(u, u)
		if x.lanes == 16 {
			VPMOVDB(u, u.AsX())
		} else {
			VMULPS(mem(a, 32), by, v)
			VCVTPS2DQ(v, v)
			VPACKSSDW(v, u, u)
			VPERMQ(operand.U8(0xd8), u, u)
			VEXTRACTI128(operand.U8(1), u, v.AsX())
			VPACKSSWB(v.AsX(), u.AsX(), u.AsX())
		}
		VPXOR(flip.AsX(), u.AsX(), u.AsX())
		VMOVDQU(u.AsX(), mem(dst, 0))
		ADDQ(operand.I8(16), dst)
	})
	VZEROUPPER()
	RET()
}

// quantised are the products with weights of less precision than float32.
func quantised(x isa) {
	halves(x)
	bytes(x)
	roundings(x)
}
