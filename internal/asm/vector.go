package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors are the products of one row, which are as fast as the weights come
// from the cache: some panels at once, so that enough loads are under way and
// no sum waits for its last term.
//
//	func vectorPxN(c *float32, ldc int, a *float32, width, jump int, b *float32, ldb, k int)
//
// They add to n vectors of 16 floats at each of p places c, ldc apart, the row
// a times p panels b, ldb apart. Strides are in bytes. After each width floats
// of a, jump more.
func vectors(x isa) {
	accumulators := 16
	if x.lanes == 8 {
		accumulators = 12
	}
	for n := 1; n <= 4; n++ {
		for p := 1; p <= 4; p *= 2 {
			if count := n * 16 / x.lanes; p == 1 || p*count <= accumulators {
				vector(x, p, n, count)
			}
		}
	}
}

func vector(x isa, p, n, count int) {
	function(fmt.Sprintf("vector%dx%d", p, n), x, "func(c *float32, ldc int, a *float32, width, jump int, b *float32, ldb, k int)")
	Doc(fmt.Sprintf("vector%dx%d%s is a row of %d panels of %d floats.", p, n, x.name, p, 16*n))
	a, width, jump, k := reg.RAX, reg.RBX, reg.RCX, reg.RDX
	b := rows{[]reg.GPPhysical{reg.RDI, reg.R8}[:(p+2)/3], reg.RSI}
	c, ldc, left, step := reg.R9, reg.R10, reg.R11, reg.R12
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

	acc, broadcast := x.vec[:p*count], x.vec[p*count]
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
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(at, v) })
	Label("block")
	MOVQ(width, left)
	CMPQ(k, left)
	CMOVQLT(k, left)
	SUBQ(left, k)
	Label("loop")
	VBROADCASTSS(mem(a, 0), broadcast)
	for i := range p {
		at := b.at(i)
		for j := range count {
			at.Disp = j * x.bytes()
			VFMADD231PS(at, broadcast, acc[i*count+j])
		}
	}
	ADDQ(operand.I8(4), a)
	b.add(step)
	DECQ(left)
	JNZ(operand.LabelRef("loop"))
	ADDQ(jump, a)
	TESTQ(k, k)
	JNZ(operand.LabelRef("block"))
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(v, at) })
	VZEROUPPER()
	RET()
}
