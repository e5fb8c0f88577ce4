package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pauses tells the processor n times, n ≥ 1, that the caller only waits.
func pauses(x isa) {
	if x.lanes != 8 {
		return
	}
	TEXT("pause", 4, "func(n int)")
	Doc("pause tells the processor n times, n ≥ 1, that the caller only waits.")
	Load(Param("n"), reg.RAX)
	Label("loop")
	PAUSE()
	DECQ(reg.RAX)
	JNZ(operand.LabelRef("loop"))
	RET()
}
