package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// peaks are loops that do one thing as fast as the processor can: the limits
// that kernels are held against.
func peaks(x isa) {
	r := rowEmitter{isa: x}
	r.fmaLoop()
	r.readSum()
}

// chains is how many sums the multiply-adds go into. 8 of them hide a latency
// of 4 cycles in two units, 10 one of 5; 12 fit beside the two factors into the
// 16 registers of AVX2.
const chains = 12

// fmaLoop leaves its sums in memory, so that a test can see that each was made.
func (r rowEmitter) fmaLoop() {
	gp := r.begin("fmaLoop", "sets each vector a of acc to a·by + plus n times, n ≥ 1", "func(acc *float32, n int, by, plus float32)", "acc", "n")
	at, n := gp[0], gp[1]
	acc := r.vec[:chains]
	by, plus := r.scalar("by", r.vec[chains], false), r.scalar("plus", r.vec[chains+1], false)
	for j, v := range acc {
		VMOVUPS(r.row(at, j), v)
	}
	Label("loop")
	for _, v := range acc {
		VFMADD213PS(plus, by, v)
	}
	DECQ(n)
	JNZ(operand.LabelRef("loop"))
	for j, v := range acc {
		VMOVUPS(v, r.row(at, j))
	}
	end()
}

// readSum adds two vectors a cycle, if they come that fast: 8 sums hide the
// latency of an addition. It goes over a small array many times, since a call
// takes as long as reading a quarter of the first cache.
func (r rowEmitter) readSum() {
	const rowBytes = 512
	gp := r.begin("readSum", "sums rows of 128 floats, rows ≥ 1, so many times, times ≥ 1", "func(x *float32, rows, times int) float32", "x", "rows", "times")
	x, rows, times, at, left := gp[0], gp[1], gp[2], reg.RSI, reg.RDI
	acc := r.vec[:8]
	for _, v := range acc {
		VXORPS(v.AsX(), v.AsX(), v.AsX())
	}
	Label("pass")
	MOVQ(x, at)
	MOVQ(rows, left)
	Label("loop")
	for j := range rowBytes / r.bytes() {
		v := acc[j%len(acc)]
		VADDPS(r.row(at, j), v, v)
	}
	again("loop", left, array{at, rowBytes})
	DECQ(times)
	JNZ(operand.LabelRef("pass"))
	for n := len(acc) / 2; n > 0; n /= 2 {
		for j := range n {
			VADDPS(acc[j+n], acc[j], acc[j])
		}
	}
	VMOVSS(r.across(acc[0], acc[1]).AsX(), result())
	VZEROUPPER()
	RET()
}

// across is the sum of v's lanes. It spoils t.
func (x isa) across(v, t reg.VecPhysical) reg.VecPhysical {
	if x.lanes == 16 {
		VEXTRACTF32X8(operand.U8(1), v, t.AsY())
		VADDPS(t.AsY(), v.AsY(), v.AsY())
	}
	VEXTRACTF128(operand.U8(1), v.AsY(), t.AsX())
	VADDPS(t.AsX(), v.AsX(), v.AsX())
	VPERMILPS(operand.U8(0b1110), v.AsX(), t.AsX())
	VADDPS(t.AsX(), v.AsX(), v.AsX())
	VPERMILPS(operand.U8(1), v.AsX(), t.AsX())
	VADDSS(t.AsX(), v.AsX(), v.AsX())
	return v
}
