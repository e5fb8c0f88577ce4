package kernel

import "math"

// mulAddLow is MulAddPanels of panels of less precision than float32.
func (p *Panels) mulAddLow(y, x Matrix, rows, from, to int) {
	switch {
	case p.low.precision == Int8:
		p.mulAddBytes(y, x, rows, from, to)
	case rows < fewHalves && !y.tight && level != Generic:
		for r := range rows {
			p.half(y.From(r), x.From(r), from, to)
		}
	default:
		p.mulAddHalves(y, x, rows, from, to)
	}
}

// fewHalves is the number of rows from which it is faster to make floats of
// the weights first.
const fewHalves = 8

// widened is how many inputs of a panel are made floats at once.
const widened = 256

// floats are those of a panel.
var floats = newSpare(func() *[]float32 { x := Aligned(widened * Wide); return &x })

// mulAddHalves makes floats of the weights, some inputs at a time. The bits are
// those of half.
func (p *Panels) mulAddHalves(y, x Matrix, rows, from, to int) {
	buffer := floats.Get()
	b := *buffer
	a := x.strides()
	depth := x.whole(widened)
	for i := from; i < to; i++ {
		words, width := p.pairsAt(i), p.lanesOf(i)
		cols := p.columns(i, y)
		for k := 0; k < p.K; k += depth {
			n := min(depth, p.K-k)
			widen(b, words[k/2*width:], width, (n+1)/2)
			product(y.Data[i*y.Block:], y.Row, x.Data[k/x.Width*x.Block:], a, b, width, cols, n, rows)
		}
	}
	floats.Put(buffer)
}

// widenGeneric is widen in Go.
func widenGeneric(dst []float32, words []uint32, width, pairs int) {
	for i := range pairs {
		even, odd := dst[2*i*width:][:width], dst[(2*i+1)*width:][:width]
		for j, pair := range words[i*width : (i+1)*width] {
			even[j], odd[j] = math.Float32frombits(pair<<16), math.Float32frombits(pair&0xffff0000)
		}
	}
}

// maxByteRows is the most rows that a product of bytes takes at once.
const maxByteRows = 4

// byteRows are some rows as bytes, with 128 added, and what scales them.
type byteRows struct {
	x  [maxByteRows][byteSpan]uint8
	by [maxByteRows]float32
	y  [maxByteRows * Wide]float32 // where y's rows are no blocks
}

var byteScratch = newSpare(func() *byteRows { return new(byteRows) })

// mulAddBytes rounds rows of x to bytes, a span of inputs at a time, and
// multiplies. x's width divides a span.
func (p *Panels) mulAddBytes(y, x Matrix, rows, from, to int) {
	s := byteScratch.Get()
	for k := 0; k < p.K; k += byteSpan {
		n := min(byteSpan, p.K-k)
		for r := 0; r < rows; r += maxByteRows {
			m := min(maxByteRows, rows-r)
			for i := range m {
				s.by[i] = toBytes(s.x[i][:], x.Data[(r+i)*x.Row+k/x.Width*x.Block:], x.Width, x.Block-x.Width, n)
			}
			if !y.tight {
				p.bytes(y.From(r), s, m, k, (n+3)/4, from, to)
				continue
			}
			for i := from; i < to; i++ {
				p.bytesTight(y.Data[r*y.Row+i*y.Block:], y.Row, s, m, k, (n+3)/4, i)
			}
		}
	}
	byteScratch.Put(s)
}

// bytesTight is bytes of panel i where y's rows end with their columns.
func (p *Panels) bytesTight(y []float32, ld int, s *byteRows, m, k, words, i int) {
	cols := p.columns(i, Matrix{tight: true})
	for r := range m {
		copy(s.y[r*Wide:], y[r*ld:][:cols])
	}
	p.bytes(Matrix{Data: s.y[:], Row: Wide, Width: Wide}, s, m, k, words, i, i+1)
	for r := range m {
		copy(y[r*ld:][:cols], s.y[r*Wide:])
	}
}

// toBytes sets dst to n floats of a row in blocks as multiples of what it
// returns, rounded to nearest even, with 128 added. One that is not finite
// makes it NaN.
func toBytes(dst []uint8, x []float32, width, jump, n int) (scale float32) {
	last := (n-1)/width*(width+jump) + (n-1)%width
	_, dst = x[last], dst[:(n+3)/4*4]
	for i := n; i < len(dst); i++ {
		dst[i] = 128
	}
	whole := n / Lane * Lane
	top := uint32(0)
	if whole > 0 {
		top = magnitude(x, width, jump, whole)
	}
	rest := x[last-(n-1)%Lane : last+1] // the last lane
	for _, v := range rest[:n-whole] {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	largest := math.Float32frombits(top)
	if !(largest >= tiny && largest <= math.MaxFloat32) {
		for i := range n {
			dst[i] = 128
		}
		if largest < tiny {
			return 0
		}
		return float32(math.NaN())
	}
	by := 127 / largest
	if whole > 0 {
		roundBytes(dst, x, width, jump, whole, by)
	}
	for i, v := range rest[:n-whole] {
		dst[whole+i] = toByte(v, by)
	}
	return largest / 127
}

func toByte(v, by float32) uint8 { return uint8(int(math.RoundToEven(float64(v*by))) + 128) }

// magnitudeGeneric is magnitude in Go.
func magnitudeGeneric(x []float32, width, jump, n int) (top uint32) {
	for ; n > 0; n -= width {
		for _, v := range x[:min(n, width)] {
			top = max(top, math.Float32bits(v)&^(1<<31))
		}
		if n > width {
			x = x[width+jump:]
		}
	}
	return top
}

// roundGeneric is roundBytes in Go.
func roundGeneric(dst []uint8, x []float32, width, jump, n int, by float32) {
	for ; n > 0; n -= width {
		for i, v := range x[:min(n, width)] {
			dst[i] = toByte(v, by)
		}
		if n > width {
			x, dst = x[width+jump:], dst[width:]
		}
	}
}

// bytesGeneric is bytes in Go.
func (p *Panels) bytesGeneric(y Matrix, s *byteRows, rows, k, words, from, to int) {
	for i := from; i < to; i++ {
		b, _ := p.bytesAt(i, k)
		width := p.lanesOf(i)
		scales := p.low.scales[i*p.width:][:width]
		for r := range rows {
			c := y.Data[i*y.Block+r*y.Row:][:width]
			for j, scale := range scales {
				w := b[4*j:][:4]
				sum := int32(uint32(uint8(w[0])) | uint32(uint8(w[1]))<<8 | uint32(uint8(w[2]))<<16 | uint32(uint8(w[3]))<<24)
				for l := range words {
					w, x := b[4*(width*(1+l)+j):][:4], s.x[r][4*l:][:4]
					sum += int32(w[0])*int32(x[0]) + int32(w[1])*int32(x[1]) + int32(w[2])*int32(x[2]) + int32(w[3])*int32(x[3])
				}
				c[j] += float32(float32(sum) * float32(s.by[r]*scale))
			}
		}
	}
}
