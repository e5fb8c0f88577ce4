package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The elementary functions share one reduction and one polynomial:
//
//	n = round(x·log2 e), r = x − n·ln 2, |r| ≤ ln 2 / 2
//	expm1(r) ≈ r + r²·q(r), q of degree 4
//
// They use only operations that AVX2 and AVX-512 have alike. Adding 1.5·2²³
// rounds to an integer and leaves it in the low bits; with 127 added as well,
// those bits moved to the exponent are 2ⁿ. Minimum and maximum return their
// second source if one is NaN, so x is that source and NaN passes through.
const (
	rounder = 3<<22 + 127

	ln2High = float32(0x1.62e430p-1) // ln 2 rounded; n·ln2High is exact in an FMA
	ln2Low  = float32(-0x1.05c610p-29)
)

// expm1Coefficients are q's, from the highest: the minimax (Remez) fit of the
// relative error of r + r²·q(r) as expm1(r) over ±1.0001·ln 2/2, where one
// coefficient after the other was rounded to float32, from the lowest, and
// the rest fitted again. The largest relative error is 1.42e-8.
var expm1Coefficients = [...]float32{0.0013835524441674352, 0.008367118425667286, 0.04166775569319725, 0.16666539013385773, 0.4999999701976776}

var log2e = float32(math.Log2E)

// elementary emits the functions for one instruction set.
type elementary struct {
	isa
	*pool
	table *constants
	kept  map[float32]reg.VecPhysical
}

func newElementary(x isa, table *constants) *elementary {
	return &elementary{x, x.pool(), table, map[float32]reg.VecPhysical{}}
}

// keep puts constants into registers for the rest of the function, as long as
// more than need registers are free.
func (e *elementary) keep(need int, values ...float32) {
	for _, v := range values {
		if _, ok := e.kept[v]; !ok && len(e.free) > need {
			e.kept[v] = e.take()
			VMOVUPS(e.table.f32(v), e.kept[v])
		}
	}
}

// expm1Keeps is what each function uses.
var expm1Keeps = append([]float32{1, ln2High}, expm1Coefficients[:]...)

// f32 is the operand whose lanes all hold v.
func (e *elementary) f32(v float32) operand.Op {
	if r, ok := e.kept[v]; ok {
		return r
	}
	return e.table.f32(v)
}

// call is a function to apply to v in place, given three more registers. It
// is a list of steps, so that several calls can take turns: each waits for
// its own results most of the time.
type call struct {
	f func(e *elementary, v, a, b, c reg.VecPhysical) []func()
	v reg.VecPhysical
}

// apply emits calls, as many at a time as there are registers.
func (e *elementary) apply(calls ...call) {
	for len(calls) > 0 {
		var lists [][]func()
		var taken []reg.VecPhysical
		for len(calls) > 0 && len(e.free) >= 3 {
			a, b, c := e.take(), e.take(), e.take()
			taken = append(taken, a, b, c)
			lists = append(lists, calls[0].f(e, calls[0].v, a, b, c))
			calls = calls[1:]
		}
		takeTurns(lists)
		e.give(taken...)
	}
}

func takeTurns(lists [][]func()) {
	for step, busy := 0, true; busy; step++ {
		busy = false
		for _, l := range lists {
			if step < len(l) {
				l[step]()
				busy = true
			}
		}
	}
}

// clamp bounds v to [low, high].
func (e *elementary) clamp(v, a reg.VecPhysical, low, high float32) []func() {
	return []func(){
		func() { VMOVUPS(e.f32(low), a); VMAXPS(v, a, v) },
		func() { VMOVUPS(e.f32(high), a); VMINPS(v, a, v) },
	}
}

// split sets n to round(v·by) and two to 2^(n+shift).
func (e *elementary) split(v, n, two reg.VecPhysical, by, shift float32) []func() {
	return []func(){
		func() { VMOVUPS(e.f32(by), n); VFMADD213PS(e.f32(rounder+shift), v, n) },
		func() { VPSLLD(operand.U8(23), n, two); VSUBPS(e.f32(rounder+shift), n, n) },
	}
}

// q sets q to the polynomial of r.
func (e *elementary) q(r, q reg.VecPhysical) []func() {
	steps := []func(){func() { VMOVUPS(e.f32(expm1Coefficients[0]), q) }}
	for _, c := range expm1Coefficients[1:] {
		steps = append(steps, func() { VFMADD213PS(e.f32(c), r, q) })
	}
	return steps
}

// exp1 sets q to e^r = 1 + r·(1 + r·q(r)).
func (e *elementary) exp1(r, q reg.VecPhysical) []func() {
	step := func() { VFMADD213PS(e.f32(1), r, q) }
	return append(e.q(r, q), step, step)
}

// reduce leaves v − n·ln 2 in v.
func (e *elementary) reduce(v, n reg.VecPhysical) []func() {
	return []func(){
		func() { VFNMADD231PS(e.f32(ln2High), n, v) },
		func() { VFNMADD231PS(e.f32(ln2Low), n, v) },
	}
}

func join(lists ...[]func()) (all []func()) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// expNegative is e^v for v ≤ 0: its factors are 2ⁿ⁺²⁴, which is never
// subnormal, and 2⁻²⁴.
func expNegative(e *elementary, v, n, two, q reg.VecPhysical) []func() {
	return join(
		e.clamp(v, n, -104, 0)[:1],
		e.split(v, n, two, log2e, 24),
		e.reduce(v, n),
		e.exp1(v, q),
		[]func(){
			func() { VMULPS(two, q, q) },
			func() { VMULPS(e.f32(0x1p-24), q, v) },
		})
}

// sigmoid is 1/(1 + e^−v), both sides of the fraction times 2⁻²⁴: so the
// denominator is finite down to where σ is 0.
func sigmoid(e *elementary, v, n, two, q reg.VecPhysical) []func() {
	return join(
		e.clamp(v, n, -104, 64),
		e.split(v, n, two, -log2e, -24),
		[]func(){ // −v − n·ln 2
			func() { VFNMSUB231PS(e.f32(ln2High), n, v) },
			func() { VFNMADD231PS(e.f32(ln2Low), n, v) },
		},
		e.exp1(v, q),
		[]func(){
			func() { VFMADD213PS(e.f32(0x1p-24), two, q); VMOVUPS(e.f32(0x1p-24), n) },
			func() { VDIVPS(q, n, v) },
		})
}

// tanh is p/(p + 2) of p = expm1(2v) = 2ⁿ·expm1(r) + (2ⁿ − 1). One constant of
// ln 2 is enough: where n is large, p has no weight.
func tanh(e *elementary, v, n, two, q reg.VecPhysical) []func() {
	return join(
		e.clamp(v, n, -10, 10),
		[]func(){func() { VADDPS(v, v, v) }},
		e.split(v, n, two, log2e, 0),
		e.reduce(v, n)[:1],
		e.q(v, q),
		[]func(){
			func() { VMULPS(v, v, n) },
			func() { VFMADD231PS(q, n, v); VSUBPS(e.f32(1), two, n) },
			func() { VFMADD213PS(n, two, v) },
			func() { VADDPS(e.f32(2), v, n) },
			func() { VDIVPS(n, v, v) },
		})
}

// What each of the functions uses beside expm1Keeps, the most used first.
var (
	sigmoidKeeps = []float32{rounder - 24, -log2e, 0x1p-24, ln2Low, -104, 64}
	tanhKeeps    = []float32{rounder, log2e, 2, -10, 10}
)
