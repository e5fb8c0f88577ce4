package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles are the products: C += A·B, C being m rows of n vectors of 16 floats
// that stay in registers while all of k passes, each element one sum in the
// order of k.
//
//	func tileMxN(c *float32, ldc int, a *float32, row, step, width, jump int, b *float32, ldb, k, tiles int)
//
// Strides are in bytes. There are so many tiles, one below the other. A's
// element (i, k) is at i·row + k·step; after each width steps, jump more: a
// matrix in blocks of columns. With row and step exchanged it is read
// transposed. B's row k is at k·ldb. k is at least 1. The tiles of
// bf16 have pairs for the elements of A and B.
func tiles(x isa) {
	columns, accumulators := 4, 24
	if x.lanes == 8 {
		columns, accumulators = 1, 12 // a tile of 16 columns is two vectors wide
	}
	for n := 1; n <= columns; n++ {
		vectors := n * 16 / x.lanes
		for m := 1; m <= min(8, accumulators/vectors); m++ {
			tile(x, m, n, vectors)
		}
	}
}

// rows addresses the rows of A: a base for each three of them.
type rows struct {
	base   []reg.GPPhysical
	stride reg.GPPhysical
}

func (r rows) at(i int) operand.Mem {
	if i%3 == 0 {
		return mem(r.base[i/3], 0)
	}
	return indexed(r.base[i/3], r.stride, uint8(i%3))
}

// add moves all rows on by n bytes.
func (r rows) add(n reg.GPPhysical) {
	for _, b := range r.base {
		ADDQ(n, b)
	}
}

func tile(x isa, m, n, vectors int) {
	function(fmt.Sprintf("tile%dx%d", m, n), x, "func(c *float32, ldc int, a *float32, row, step, width, jump int, b *float32, ldb, k, tiles int)")
	Doc(fmt.Sprintf("tile%dx%d%s is a tile of %d rows of %d floats.", m, n, x.name, m, 16*n))
	a := rows{[]reg.GPPhysical{reg.RAX, reg.RBX, reg.RCX}[:(m+2)/3], reg.RDX}
	step, width, jump, b, ldb, k := reg.RSI, reg.R8, reg.R9, reg.RDI, reg.R10, reg.R11
	c, ldc, count := reg.R12, reg.R13, reg.R15
	Load(Param("row"), a.stride)
	Load(Param("step"), step)
	Load(Param("width"), width)
	Load(Param("jump"), jump)
	Load(Param("ldb"), ldb)
	Load(Param("c"), c)
	Load(Param("ldc"), ldc)
	Label("tile")
	Load(Param("b"), b)
	Load(Param("k"), k)
	Load(Param("a"), a.base[0])
	for i := 1; i < len(a.base); i++ {
		LEAQ(indexed(a.base[i-1], a.stride, 2), a.base[i])
		ADDQ(a.stride, a.base[i])
	}

	acc, rest := x.vec[:m*vectors], x.vec[m*vectors:]
	bv, broadcast := rest[:vectors], rest[vectors:]
	forC := func(move func(v reg.VecPhysical, at operand.Mem)) {
		MOVQ(c, count)
		for i := range m {
			for j := range vectors {
				move(acc[i*vectors+j], mem(count, j*x.bytes()))
			}
			if i < m-1 {
				ADDQ(ldc, count)
			}
		}
	}
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(at, v) })
	Label("block")
	MOVQ(width, count)
	CMPQ(k, count)
	CMOVQLT(k, count)
	SUBQ(count, k)
	Label("loop")
	if m == 1 && !x.pairs {
		VBROADCASTSS(a.at(0), broadcast[0])
		for j := range vectors {
			VFMADD231PS(mem(b, j*x.bytes()), broadcast[0], acc[j])
		}
	} else {
		for j := range vectors {
			VMOVUPS(mem(b, j*x.bytes()), bv[j])
		}
		for i := range m {
			s := broadcast[i%min(4, len(broadcast))]
			VBROADCASTSS(a.at(i), s)
			for j := range vectors {
				x.multiplyAdd(s, bv[j], acc[i*vectors+j])
			}
		}
	}
	a.add(step)
	ADDQ(ldb, b)
	DECQ(count)
	JNZ(operand.LabelRef("loop"))
	a.add(jump)
	TESTQ(k, k)
	JNZ(operand.LabelRef("block"))
	forC(func(v reg.VecPhysical, at operand.Mem) { VMOVUPS(v, at) })
	// count is the last row of C.
	LEAQ(indexed(count, ldc, 1), c)
	Load(Param("a"), a.base[0])
	IMUL3Q(operand.I8(m), a.stride, count)
	ADDQ(count, a.base[0])
	MOVQ(a.base[0], argument("a"))
	DECQ(argument("tiles"))
	JNZ(operand.LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// argument is where a parameter lies: it is the function's to change.
func argument(name string) operand.Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// products are all that multiplies matrices, and what lays them out for it.
func products(x isa) {
	tiles(x)
	if x.lanes == 16 {
		tiles(bf16(x))
	}
	vectors(x)
	transposes(x)
	pauses(x)
}
