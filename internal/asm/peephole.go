package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// peepholes is the array of which all rows read the same one.
const peepholes = "peepholes"

// add emits v += a·b.
func (e *elementary) add(v, a reg.VecPhysical, b operand.Mem) { VFMADD231PS(b, a, v) }

// peephole is the LSTM whose gates see the cell. Its output gate waits for the
// next cell, and so goes with the tanh of it.
func (g gateEmitter) peephole() {
	g.twoStages("peepholeForward", "is lstmForward with peepholes",
		"gates peepholes cPrev c h", 4, []float32{rounder, rounder - 24, log2e, -log2e},
		func(e *elementary, at where) ([]call, func() (v, w reg.VecPhysical)) {
			i, f, c, cPrev := e.load(at("gates", 0)), e.load(at("gates", 1)), e.load(at("gates", 2)), e.load(at("cPrev", 0))
			e.add(i, cPrev, at(peepholes, 0))
			e.add(f, cPrev, at(peepholes, 1))
			e.give(cPrev)
			return []call{{sigmoid, i}, {tanh, c}, {sigmoid, f}}, func() (v, w reg.VecPhysical) {
				for j, v := range []reg.VecPhysical{i, f, c} {
					VMOVUPS(v, at("gates", j))
				}
				VMULPS(i, c, c)
				VFMADD231PS(at("cPrev", 0), f, c)
				VMOVUPS(c, at("c", 0))
				o := e.load(at("gates", 3))
				e.add(o, c, at(peepholes, 3))
				return c, o
			}
		},
		func(c, o reg.VecPhysical) []call { return []call{{tanh, c}, {sigmoid, o}} },
		func(e *elementary, at where, c, o reg.VecPhysical) {
			VMOVUPS(o, at("gates", 3))
			VMULPS(o, c, c)
			VMOVUPS(c, at("h", 0))
		})
	g.kernel("peepholeBackward", "is lstmBackward with peepholes",
		"gates peepholes cPrev c dh dc dy", 1, 10, tanhKeeps, func(e *elementary, at where) {
			a, dc, do := e.outputBackward(at)
			e.add(dc, do, at(peepholes, 3))
			e.give(do)
			di, df, dc := e.cellBackward(at, a, dc)
			e.add(dc, di, at(peepholes, 0))
			e.add(dc, df, at(peepholes, 1))
			VMOVUPS(dc, at("dc", 0))
			e.zero(at("dh", 0))
		})
}
