// Package cpu says what the processor can do for package kernel. GODEBUG turns
// features off, so that every path can be tried on one machine:
// GODEBUG=cpu.avx512f=off leaves AVX2, cpu.all=off leaves plain Go.
package cpu

import "golang.org/x/sys/cpu"

// The features of amd64 that kernels ask for. Each implies those it needs:
// x/sys/cpu leaves AVX-512's extensions on where AVX-512 itself is turned off.
var (
	AVX2       = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	AVX512     = AVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
	AVX512BF16 = AVX512 && cpu.X86.HasAVX512BF16
	AVX512VNNI = AVX512 && cpu.X86.HasAVX512VNNI
)
