package torchfile

import (
	"archive/zip"
	"bytes"
	"runtime"
	"strings"
	"testing"
)

// allocated is the number of bytes that f allocates, all together.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// most is the number of bytes that Read may allocate for a file.
func most(file []byte) uint64 {
	pickle := uint64(min(len(file), MaxPickle))
	if z, err := zip.NewReader(bytes.NewReader(file), int64(len(file))); err == nil {
		for _, f := range z.File {
			if f.UncompressedSize64 <= MaxPickle {
				pickle = max(pickle, f.UncompressedSize64)
			}
		}
	}
	return 2<<20 + 64*uint64(len(file)) + 400*pickle
}

// The densest pickles that one can write.
func TestAllocation(t *testing.T) {
	wide := make([]int, MaxRank)
	for i := range wide {
		wide[i] = 1
	}
	args := tuple(storageID("0", 4), num(0), nums(wide), nums(wide), "N", "N")
	for name, c := range map[string]struct{ start, unit, end string }{
		"None":          {"](", "N", "e."},
		"small numbers": {"](", "K\x01", "e."},
		"numbers":       {"](", "J\x00\x00\x00\x01", "e."},
		"longs":         {"](", "\x8a\x01\x01", "e."},
		"huge longs":    {"](", "\x8a\xff" + strings.Repeat("\xfe", 255), "e."},
		"floats":        {"](", "G\x00\x00\x00\x00\x00\x00\x00\x00", "e."},
		"strings":       {"](", "U\x00", "e."},
		"dicts":         {"](", "}", "e."},
		"lists":         {"](", "]", "e."},
		"tuples":        {"](", ")", "e."},
		"marks":         {"](", "(t", "e."},
		"lists of one":  {"](", "]Na", "e."},
		"deep tuples":   {"N", "\x85", "."},
		"ordered dicts": {"](" + orderedText + "q\x00)q\x01", "h\x00h\x01R", "e."},
		"items":         {"}(", "NN", "u."},
		"ordered items": {orderedText + ")R(", "NN", "u."},
		"built":         {"](" + orderedText + ")Rq\x00", "h\x00Nb", "e."},
		"tensor":        {"](" + vector + "q\x00", "h\x00", "e."},
		"tensors":       {"](" + rebuildText + "q\x00" + args + "q\x01", "h\x00h\x01R", "e."},
		"storages":      {"](" + tuple(str("storage"), float32Text, str("0"), str("cpu"), num(4)) + "q\x00", "h\x00Q", "e."},
		"no callable":   {"](", "N", "e)R."},
		"no appender":   {"](", "(Nt", "eNNa."},
		"globals":       {"](", "ctorch\nSize\n", "e."},
	} {
		worst := 0.0 // times the pickle
		for n := 1; n < 1<<16; n += n/2 + 1 {
			pickle := proto + c.start + strings.Repeat(c.unit, n) + c.end
			if len(pickle) > MaxPickle {
				break
			}
			file := pickled(t, pickle)
			got := allocated(func() { read(file) })
			if got > most(file) {
				t.Errorf("%s: a pickle of %d bytes allocated %d, want at most %d", name, len(pickle), got, most(file))
			}
			worst = max(worst, (float64(got)-2<<20-64*float64(len(file)))/float64(len(pickle)))
		}
		t.Logf("%s: %.0f times", name, worst)
	}
}
