package main

import (
	"fmt"
	"math"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set: its vectors have the same operations and differ
// in their width and number.
type isa struct {
	name  string // what ends a function's name
	lanes int    // float32s of a vector
	vec   []reg.VecPhysical
	pairs bool // what is multiplied are words of two bf16
}

var (
	avx2   = isa{name: "AVX2", lanes: 8, vec: []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15}}
	avx512 = isa{name: "AVX512", lanes: 16, vec: []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
	}}
)

// bytes is the size of a vector.
func (x isa) bytes() int { return 4 * x.lanes }

// pool hands out vector registers.
type pool struct{ free []reg.VecPhysical }

func (x isa) pool() *pool { return &pool{slices.Clone(x.vec)} }

// take is a register that is nobody's. Whoever asks for more than there are
// has made a mistake in the generator.
func (p *pool) take() reg.VecPhysical {
	r := p.free[0]
	p.free = p.free[1:]
	return r
}

// give puts registers back.
func (p *pool) give(rs ...reg.VecPhysical) { p.free = append(p.free, rs...) }

// mem is the operand at d bytes from base.
func mem(base reg.Register, d int) operand.Mem { return operand.Mem{Base: base, Disp: d} }

// indexed is the operand at scale·index bytes from base.
func indexed(base, index reg.Register, scale uint8) operand.Mem {
	return operand.Mem{Base: base, Index: index, Scale: scale}
}

// constants are vectors of one value, in memory, since AVX2 has no broadcast
// in an operand. Each is as wide as AVX-512's.
type constants struct {
	table operand.Mem
	at    map[uint32]int
}

func newConstants(name string) *constants {
	return &constants{GLOBL(name, 8|16), map[uint32]int{}} // RODATA|NOPTR
}

// bits is the vector whose lanes all hold u.
func (c *constants) bits(u uint32) operand.Mem {
	at, ok := c.at[u]
	if !ok {
		at = 64 * len(c.at)
		c.at[u] = at
		for i := range 16 {
			DATA(at+4*i, operand.U32(u))
		}
	}
	return c.table.Offset(at)
}

// f32 is the vector whose lanes all hold v.
func (c *constants) f32(v float32) operand.Mem { return c.bits(math.Float32bits(v)) }

// function begins an assembly function.
func function(name string, x isa, signature string) {
	TEXT(fmt.Sprintf("%s%s", name, x.name), 4, signature) // NOSPLIT
	Pragma("noescape")
}
