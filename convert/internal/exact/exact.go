// Package exact makes float32 of the numbers of other files, without rounding.
package exact

import "math"

// Half is the number of an IEEE float16.
func Half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&0x1F, uint32(h)&0x3FF
	switch exponent {
	case 0x1F: // infinity, or no number
		return math.Float32frombits(sign | 0x7F800000 | fraction<<13)
	case 0: // zero, or below the normal ones, which float32 has as normal ones
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// Brain is the number of a bfloat16.
func Brain(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// Double is the float32 that equals v, false if there is none. No number stays none.
func Double(v float64) (float32, bool) {
	x := float32(v)
	return x, float64(x) == v || v != v
}
