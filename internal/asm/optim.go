package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// optimizers are the updates of parameters, over n vectors of 16 floats, n ≥ 1.
// They round as Go does, so nothing is fused. What is summed in float64 takes
// half a vector of floats at a time.
func optimizers(x isa) {
	r := rowEmitter{isa: x}
	r.adam()
	r.momentum()
	r.sgd()
	r.mean()
	r.scale()
	r.sumSquares()
}

// scalar is a register whose lanes all hold a float64 or float32 argument.
func (x isa) scalar(name string, v reg.VecPhysical, double bool) reg.VecPhysical {
	at, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	if double {
		VBROADCASTSD(at.Addr, v)
	} else {
		VBROADCASTSS(at.Addr, v)
	}
	return v
}

// result is where the function's result lies. Store would take the older MOVSS
// or MOVSD, which may wait for the upper halves.
func result() operand.Mem {
	at, err := ReturnIndex(0).Resolve()
	if err != nil {
		panic(err)
	}
	return at.Addr
}

// half is the register of half the width, for as many floats as v has float64s.
func (x isa) half(v reg.VecPhysical) reg.Register {
	if x.lanes == 16 {
		return v.AsY()
	}
	return v.AsX()
}

// narrow rounds the float64s of v to float32.
func (x isa) narrow(v reg.VecPhysical) reg.Register {
	if x.lanes == 16 {
		VCVTPD2PS(v, v.AsY())
	} else {
		VCVTPD2PSY(v, v.AsX())
	}
	return x.half(v)
}

// halves emits body for each half vector of 16 floats, d bytes on.
func (x isa) halves(body func(d int)) {
	for d := 0; d < 64; d += x.bytes() / 2 {
		body(d)
	}
}

func (r rowEmitter) adam() {
	gp := r.begin("adam", "is Adam's update: see Adam", "func(params, grad, m, v *float32, vectors int, beta1, beta2, rest1, rest2 float64, step, root, eps, decay float32)",
		"params", "grad", "m", "v", "vectors")
	params, grad, m, v, count := gp[0], gp[1], gp[2], gp[3], gp[4]
	p := r.pool()
	beta1, beta2 := r.scalar("beta1", p.take(), true), r.scalar("beta2", p.take(), true)
	rest1, rest2 := r.scalar("rest1", p.take(), true), r.scalar("rest2", p.take(), true)
	float := func(name string) reg.Register { return r.half(r.scalar(name, p.take(), false)) }
	step, root, eps, decay := float("step"), float("root"), float("eps"), float("decay")
	g, a, b, c := p.take(), p.take(), p.take(), p.take()
	Label("loop")
	r.halves(func(d int) {
		VCVTPS2PD(mem(grad, d), g)
		VCVTPS2PD(mem(m, d), a)
		VMULPD(beta1, a, a)
		VMULPD(rest1, g, c)
		VADDPD(c, a, a)
		VMULPD(rest2, g, c)
		VMULPD(g, c, c)
		VCVTPS2PD(mem(v, d), b)
		VMULPD(beta2, b, b)
		VADDPD(c, b, b)
		m32, v32, p32, d32 := r.narrow(a), r.narrow(b), r.half(c), r.half(g)
		VMOVUPS(m32, mem(m, d))
		VMOVUPS(v32, mem(v, d))
		VSQRTPS(v32, v32)
		VMULPS(root, v32, v32)
		VADDPS(eps, v32, v32)
		VMULPS(step, m32, m32)
		VDIVPS(v32, m32, m32)
		VMOVUPS(mem(params, d), p32)
		VMULPS(decay, p32, d32)
		VADDPS(d32, m32, m32)
		VSUBPS(m32, p32, p32)
		VMOVUPS(p32, mem(params, d))
	})
	again("loop", count, array{params, 64}, array{grad, 64}, array{m, 64}, array{v, 64})
	end()
}

func (r rowEmitter) momentum() {
	gp := r.begin("momentum", "is SGD's update with momentum: see Momentum", "func(params, grad, velocity *float32, vectors int, mu, decay float64, step float32)",
		"params", "grad", "velocity", "vectors")
	params, grad, velocity, count := gp[0], gp[1], gp[2], gp[3]
	mu, decay, step := r.scalar("mu", r.vec[0], true), r.scalar("decay", r.vec[1], true), r.half(r.scalar("step", r.vec[2], false))
	g, v := r.vec[3], r.vec[4]
	Label("loop")
	r.halves(func(d int) {
		VCVTPS2PD(mem(grad, d), g)
		VCVTPS2PD(mem(velocity, d), v)
		VMULPD(mu, v, v)
		VADDPD(g, v, v)
		VCVTPS2PD(mem(params, d), g)
		VMULPD(decay, g, g)
		VADDPD(g, v, v)
		v32, p32 := r.narrow(v), r.half(g)
		VMOVUPS(v32, mem(velocity, d))
		VMULPS(step, v32, v32)
		VMOVUPS(mem(params, d), p32)
		VSUBPS(v32, p32, p32)
		VMOVUPS(p32, mem(params, d))
	})
	again("loop", count, array{params, 64}, array{grad, 64}, array{velocity, 64})
	end()
}

func (r rowEmitter) sgd() {
	gp := r.begin("sgd", "is SGD's update: see SGD", "func(params, grad *float32, vectors int, decay, step float32)", "params", "grad", "vectors")
	params, grad, count := gp[0], gp[1], gp[2]
	decay, step, d, p := r.scalar("decay", r.vec[0], false), r.scalar("step", r.vec[1], false), r.vec[2], r.vec[3]
	Label("loop")
	for j := range 16 / r.lanes {
		VMOVUPS(r.row(params, j), p)
		VMULPS(decay, p, d)
		VADDPS(r.row(grad, j), d, d)
		VMULPS(step, d, d)
		VSUBPS(d, p, p)
		VMOVUPS(p, r.row(params, j))
	}
	again("loop", count, array{params, 64}, array{grad, 64})
	end()
}

func (r rowEmitter) mean() {
	gp := r.begin("mean", "moves a mean towards params: see Mean", "func(mean, rest, params *float32, vectors int, by float64)", "mean", "rest", "params", "vectors")
	mean, rest, params, count := gp[0], gp[1], gp[2], gp[3]
	by, m, p := r.scalar("by", r.vec[0], true), r.vec[1], r.vec[2]
	Label("loop")
	r.halves(func(d int) {
		VCVTPS2PD(mem(mean, d), m)
		VCVTPS2PD(mem(rest, d), p)
		VADDPD(p, m, m)
		VCVTPS2PD(mem(params, d), p)
		VSUBPD(m, p, p)
		VMULPD(by, p, p)
		VADDPD(p, m, m)
		VMOVAPD(m, p)
		m32 := r.narrow(p)
		VMOVUPS(m32, mem(mean, d))
		VCVTPS2PD(m32, p)
		VSUBPD(p, m, m)
		VMOVUPS(r.narrow(m), mem(rest, d))
	})
	again("loop", count, array{mean, 64}, array{rest, 64}, array{params, 64})
	end()
}

func (r rowEmitter) scale() {
	gp := r.begin("scale", "multiplies x by a float64", "func(x *float32, vectors int, by float64)", "x", "vectors")
	x, count := gp[0], gp[1]
	by, v := r.scalar("by", r.vec[0], true), r.vec[1]
	Label("loop")
	r.halves(func(d int) {
		VCVTPS2PD(mem(x, d), v)
		VMULPD(by, v, v)
		VMOVUPS(r.narrow(v), mem(x, d))
	})
	again("loop", count, array{x, 64})
	end()
}

// sumSquares has 16 sums. The product of two float32s is exact in float64, so
// it does not matter that it is fused.
func (r rowEmitter) sumSquares() {
	gp := r.begin("sumSquares", "sums the squares of x in 16 lanes and folds them", "func(x *float32, vectors int) float64", "x", "vectors")
	x, count := gp[0], gp[1]
	n := 32 / r.lanes
	acc, v := r.vec[:n], r.vec[n:2*n]
	for _, a := range acc {
		VXORPS(a.AsX(), a.AsX(), a.AsX())
	}
	Label("loop")
	for i, a := range acc {
		VCVTPS2PD(mem(x, i*r.bytes()/2), v[i])
		VFMADD231PD(v[i], v[i], a)
	}
	again("loop", count, array{x, 64})
	VMOVSD(r.fold(acc), result())
	VZEROUPPER()
	RET()
}
