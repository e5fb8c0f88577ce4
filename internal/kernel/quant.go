package kernel

import (
	"math"
	"sync/atomic"
	"unsafe"
)

// Precision is that of packed weights.
type Precision int

// The precisions. BF16 is float32 without its last 16 bits, rounded to nearest
// even; sums and what they multiply stay float32. Int8 is a number from −127 to
// 127 times a scale for each output; a row that it multiplies is rounded in the
// same way, by its largest magnitude, and the sums are exact. Both serve
// inference alone. Mixed is for training: all that products multiply is rounded
// to bf16 for them, sums are float32.
const (
	Float32 Precision = iota
	BF16
	Int8
	Mixed
)

// Trains says whether weights of the precision serve training too.
func (p Precision) Trains() bool { return p == Float32 || p == Mixed }

func (p Precision) String() string { return [...]string{"float32", "bf16", "int8", "mixed"}[p] }

// low is the data of panels of less precision than float32.
type low struct {
	precision Precision
	pairs     []uint32  // BF16: panel after panel, (K/2, width); a weight of an even input and, in the high half, the next
	bytes     []int8    // Int8: panel after panel, of each span of inputs what sums start from, int32 (width), then (inputs/4, width, 4)
	scales    []float32 // Int8: of each output

	table atomic.Pointer[[]float32] // of Table
}

// byteSpan is how many inputs a sum of bytes takes, at most, before it is
// added as a float: with more it might overflow. A row is rounded a span at a
// time.
const byteSpan = 2048

// PackAs is Pack with a precision that serves inference alone. It allocates anew.
func (p *Panels) PackAs(as Precision, w []float32, n, k int, o Order) {
	var f Panels
	f.Pack(w, n, k, o)
	l := &low{precision: as}
	for i := range f.Len() {
		panel, width := f.panel(i)
		if as == BF16 {
			l.pairs = append(l.pairs, pairsOf(panel, width, k)...)
		} else {
			l.addPanel(panel, width, k)
		}
	}
	l.pairs, l.bytes = aligned(l.pairs), aligned(l.bytes)
	*p = Panels{K: f.K, N: f.N, width: f.width, low: l}
}

// aligned is a copy of x whose first element starts a cache line.
func aligned[E int8 | uint32](x []E) []E {
	if len(x) == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(x[0]))
	floats := Aligned((len(x)*size + 3) / 4)
	to := unsafe.Slice((*E)(unsafe.Pointer(&floats[0])), len(x))
	copy(to, x)
	return to
}

// pairsOf are the words of a panel of floats (k, width).
func pairsOf(panel []float32, width, k int) []uint32 {
	words := make([]uint32, (k+1)/2*width)
	for i := range k {
		for j, v := range panel[i*width : (i+1)*width] {
			words[i/2*width+j] |= uint32(ToBF16(v)) << (i % 2 * 16)
		}
	}
	return words
}

// addPanel adds a panel of floats (k, width).
func (l *low) addPanel(panel []float32, width, k int) {
	scales := make([]float32, width)
	row, q := make([]float32, k), make([][]int8, width)
	for j := range width {
		for i := range row {
			row[i] = panel[i*width+j]
		}
		q[j] = make([]int8, k)
		scales[j] = Quantize(q[j], row)
	}
	l.scales = append(l.scales, scales...)
	for from := 0; from < k; from += byteSpan {
		to := min(k, from+byteSpan)
		for j := range width { // a byte of a row is 128 more than what it stands for
			sum := int32(0)
			for _, v := range q[j][from:to] {
				sum -= 128 * int32(v)
			}
			l.bytes = append(l.bytes, int8(sum), int8(sum>>8), int8(sum>>16), int8(sum>>24))
		}
		for i := from; i < to; i += 4 {
			for j := range width {
				var word [4]int8
				copy(word[:], q[j][i:min(i+4, to)])
				l.bytes = append(l.bytes, word[:]...)
			}
		}
	}
}

// tiny is what counts as zero where bytes are made: the least float by which
// anything can be divided with no fear of overflow is not far below.
const tiny = 0x1p-100

// Quantize sets q to what x is as multiples of a scale, −127 to 127, and
// returns the scale. It has so few bits that the multiples are exact, and
// those of the same scale again; that of a row that is nearly zero is 0, and
// that of one that is not finite NaN.
func Quantize(q []int8, x []float32) (scale float32) {
	var top uint32
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	if scale = int8Scale(math.Float32frombits(top)); !(scale > 0) {
		clear(q[:len(x)])
		return scale
	}
	for i, v := range x {
		q[i] = int8(max(-127, min(127, math.RoundToEven(float64(v/scale)))))
	}
	return scale
}

// int8Scale is top/127 rounded up to 16 bits, or down where 127 times it would
// overflow.
func int8Scale(top float32) float32 {
	const cut = 0xff
	switch {
	case top < tiny:
		return 0
	case !(top <= math.MaxFloat32):
		return float32(math.NaN())
	}
	bits := math.Float32bits(top / 127)
	if up := math.Float32frombits((bits + cut) &^ cut); 127*float64(up) <= math.MaxFloat32 {
		return up
	}
	return math.Float32frombits(bits &^ cut)
}

// ToBF16 is x rounded to bf16, nearest even, but a finite x stays finite.
func ToBF16(x float32) uint16 {
	bits := math.Float32bits(x)
	switch up := bits + 0x7fff + bits>>16&1; {
	case x != x:
		return uint16(bits>>16) | 1<<6 // still NaN
	case up&^(1<<31) >= 0x7f800000 && bits&^(1<<31) < 0x7f800000:
		return uint16(bits >> 16)
	default:
		return uint16(up >> 16)
	}
}

// FromBF16 is the float that bf16 bits stand for.
func FromBF16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// pairsAt are the words of panel i.
func (p *Panels) pairsAt(i int) []uint32 {
	depth := (p.K + 1) / 2
	return p.low.pairs[i*p.width*depth:][:p.lanesOf(i)*depth]
}

// bytesAt are the bytes of panel i from the span that begins with input k on,
// and how many there are from one panel to the next.
func (p *Panels) bytesAt(i, k int) (b []int8, stride int) {
	spans := (p.K + byteSpan - 1) / byteSpan
	depth := 4 * (spans + (p.K+3)/4)
	width := p.lanesOf(i)
	panel := p.low.bytes[i*p.width*depth:][:width*depth]
	return panel[4*width*(k/byteSpan)*(1+byteSpan/4):], p.width * depth
}

// tableOf is Table of panels of less precision: the floats that the weights
// stand for, made when they are first asked for.
func (p *Panels) tableOf(i int) (table []float32, width int) {
	all := p.low.table.Load()
	if all == nil {
		made := []float32{}
		for i := range p.Len() {
			made = append(made, p.dequantized(i)...)
		}
		p.low.table.CompareAndSwap(nil, &made)
		all = p.low.table.Load()
	}
	width = p.lanesOf(i)
	return (*all)[i*p.width*p.K:][:p.K*width], width
}

// dequantized are the floats of panel i, (K, width).
func (p *Panels) dequantized(i int) []float32 {
	width := p.lanesOf(i)
	panel := make([]float32, p.K*width)
	for k := range p.K {
		row := panel[k*width : (k+1)*width]
		if p.low.precision == BF16 {
			for j, pair := range p.pairsAt(i)[k/2*width:][:width] {
				row[j] = FromBF16(uint16(pair >> (k % 2 * 16)))
			}
			continue
		}
		b, _ := p.bytesAt(i, k)
		words := b[4*width*(1+k%byteSpan/4):]
		for j := range row {
			row[j] = float32(words[4*j+k%4]) * p.low.scales[i*p.width+j]
		}
	}
	return panel
}
