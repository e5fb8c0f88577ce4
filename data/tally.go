package data

import (
	"encoding/binary"
	"hash/maphash"
	"iter"
	"math"
	"slices"
)

// tally counts symbols. A text may have many millions of different words, so it
// takes little more than their bytes, and looks at two places to count one.
type tally struct {
	seed   maphash.Seed
	slots  []uint64 // (a power of two) half of a symbol's hash, then its place from 1; 0: free
	blocks [][]byte // (…, tallyBlock) how often each symbol occurs, 8 bytes, its length, 2 bytes, the symbol, up to a place
	n      int      // symbols
}

const (
	tallyBlock = 1 << 20 // it is filled and stays where it is: what grows is not copied
	placeBytes = 8       // the place numbered n begins so many bytes after the one before
	recordHead = 10
)

func newTally() *tally { return &tally{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<10)} }

// record is what is known of the symbol at a place, and of those after it.
func (t *tally) record(place uint32) []byte {
	const each = tallyBlock / placeBytes
	return t.blocks[place/each][place%each*placeBytes:]
}

func (t *tally) times(place uint32) int { return int(binary.LittleEndian.Uint64(t.record(place))) }

func (t *tally) symbol(place uint32) []byte {
	r := t.record(place)
	return r[recordHead:][:binary.LittleEndian.Uint16(r[8:])]
}

// places are those of all symbols.
func (t *tally) places() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i, b := range t.blocks {
			for at := 0; at < len(b); {
				place := uint32((i*tallyBlock + at) / placeBytes)
				if !yield(place) {
					return
				}
				at += recordBytes(len(t.symbol(place)))
			}
		}
	}
}

// recordBytes are those of a symbol of n bytes.
func recordBytes(n int) int { return (recordHead + n + placeBytes - 1) / placeBytes * placeBytes }

// add counts a symbol; it does not where the symbol is new and longer than
// MaxSymbolBytes.
func (t *tally) add(symbol []byte, times int) (ok bool) {
	hash := maphash.Bytes(t.seed, symbol) << 32
	mask := uint64(len(t.slots) - 1)
	slot := hash >> 32 & mask
	for ; t.slots[slot] != 0; slot = (slot + 1) & mask {
		v := t.slots[slot]
		if v>>32 != hash>>32 {
			continue
		}
		if place := uint32(v) - 1; string(t.symbol(place)) == string(symbol) {
			binary.LittleEndian.PutUint64(t.record(place), uint64(t.times(place)+times))
			return true
		}
	}
	if len(symbol) > MaxSymbolBytes || len(t.blocks) == math.MaxUint32/(tallyBlock/placeBytes) {
		return false
	}
	t.slots[slot] = hash | uint64(t.keep(symbol, times)+1)
	if t.n++; 4*t.n > 3*len(t.slots) {
		t.grow()
	}
	return true
}

// keep adds a symbol after all others, and tells its place.
func (t *tally) keep(symbol []byte, times int) uint32 {
	last := len(t.blocks) - 1
	if last < 0 || len(t.blocks[last])+recordBytes(len(symbol)) > tallyBlock {
		t.blocks, last = append(t.blocks, make([]byte, 0, tallyBlock)), last+1
	}
	b := t.blocks[last]
	end := len(b) + recordBytes(len(symbol))
	place := uint32((last*tallyBlock + len(b)) / placeBytes)
	b = binary.LittleEndian.AppendUint64(b, uint64(times))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(symbol)))
	b = append(b, symbol...)
	t.blocks[last] = b[:end]
	return place
}

// grow makes room for twice as many.
func (t *tally) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, v := range old {
		if v == 0 {
			continue
		}
		slot := v >> 32 & mask
		for t.slots[slot] != 0 {
			slot = (slot + 1) & mask
		}
		t.slots[slot] = v
	}
}

// atLeast is the count that the n most frequent symbols have at least.
func (t *tally) atLeast(n int) int {
	if t.n <= n {
		return 0
	}
	counts := make([]int, 0, t.n)
	for place := range t.places() {
		counts = append(counts, t.times(place))
	}
	slices.Sort(counts)
	return counts[t.n-n]
}
