// Command asm writes the assembly of package sluice/internal/kernel: one group
// of functions a run, for AVX2 and for AVX-512. `go generate` in that package
// calls it:
//
//	go run . -group tile -out ../kernel/tile_amd64.s -stubs ../kernel/tile_stubs_amd64.go -pkg kernel
//
// A function is a leaf without a frame. It touches neither R14, which is Go's
// goroutine, nor BP; it leaves the upper halves of the vector registers clear;
// and its caller keeps it to some microseconds, since nothing can interrupt it.
package main

import (
	"flag"
	"fmt"
	"os"

	. "github.com/mmcloughlin/avo/build"
)

var groups = map[string]func(isa){
	"gates": gates,
	"optim": optimizers,
	"peak":  peaks,
	"quant": quantised,
	"rows":  rowHelpers,
	"tile":  products,
}

func main() {
	group := flag.String("group", "", "what to write")
	flag.Parse()
	emit, ok := groups[*group]
	if !ok {
		fmt.Fprintf(os.Stderr, "asm: -group %q: there is no such group\n", *group)
		os.Exit(2)
	}
	ConstraintExpr("amd64,!purego")
	for _, x := range []isa{avx2, avx512} {
		emit(x)
	}
	Generate()
}
