package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Memory is a level of the memory.
type Memory struct {
	Name  string // "L1" … "DRAM"
	Bytes int    // what each thread reads to see how fast it is
}

// cache is one of the first core's.
type cache struct{ level, bytes, cores int }

// Memories are the levels, the smallest first, for a number of threads that
// read at once: of each cache half of what a thread has for itself, a quarter of
// one that others may use too, but more than the cache below holds; of the
// memory much more than the caches hold.
// Where the system does not say how large its caches are, they are taken for
// small ones.
func Memories(threads int) (all []Memory) { return memories(caches("/sys"), threads) }

func memories(caches []cache, threads int) (all []Memory) {
	if len(caches) == 0 {
		caches = []cache{{1, 32 << 10, 1}, {2, 512 << 10, 1}, {3, 8 << 20, threads}}
	}
	below, share := 0, 0
	for _, c := range caches {
		share = c.bytes / min(threads, c.cores)
		most := c.bytes / 2 / min(2, c.cores)
		all = append(all, Memory{fmt.Sprintf("L%d", c.level), max(min(share/2, most), below+below/2)})
		below = share
	}
	return append(all, Memory{"DRAM", max(256<<20/threads, 4*share)})
}

// caches are those that Linux tells of, but those for instructions.
func caches(root string) (all []cache) {
	folders, _ := filepath.Glob(filepath.Join(root, "devices/system/cpu/cpu0/cache/index*")) // sorted
	for _, folder := range folders {
		read := func(name string) string {
			text, _ := os.ReadFile(filepath.Join(folder, name))
			return strings.TrimSpace(string(text))
		}
		level, err := strconv.Atoi(read("level"))
		kib, err2 := strconv.Atoi(strings.TrimSuffix(read("size"), "K"))
		if err == nil && err2 == nil && kib > 0 && read("type") != "Instruction" {
			all = append(all, cache{level, kib << 10, countCPUs(read("shared_cpu_list"))})
		}
	}
	return all
}

// countCPUs counts the processors of a list as Linux writes it: 0-3,8-11.
func countCPUs(list string) (n int) {
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, err := strconv.Atoi(first)
		b, err2 := strconv.Atoi(last)
		if err == nil && err2 == nil && a <= b {
			n += b - a + 1
		}
	}
	return max(1, n)
}

// Processor is the processor's name as Linux has it.
func Processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
