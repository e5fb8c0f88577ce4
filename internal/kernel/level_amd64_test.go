//go:build linux && !purego

package kernel

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// What Linux says of the processor is another source than the instruction that
// package cpu asks.
func TestLevelOfProcessor(t *testing.T) {
	if strings.Contains(os.Getenv("GODEBUG"), "cpu.") {
		t.Skip("GODEBUG turns features off")
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Skip(err)
	}
	var flags []string
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "flags" {
			flags = strings.Fields(value)
			break
		}
	}
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(flags, name) })
	}
	want := Generic
	if has("avx2", "fma") {
		want = AVX2
		if has("avx512f", "avx512bw", "avx512dq", "avx512vl") {
			want = AVX512
		}
	}
	if InUse() != want {
		t.Errorf("%v runs, want %v on a processor with %v", InUse(), want, flags)
	}
	if want := want == AVX512 && has("avx512_bf16"); pairing() != want {
		t.Errorf("products of pairs of bf16: %v, want %v on a processor with %v", pairing(), want, flags)
	}
}
