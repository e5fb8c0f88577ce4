package nn

import "sluice/internal/kernel"

// Precision is that of weights packed for products. [BF16] and [Int8] serve
// inference alone, [Mixed] serves training.
//
//   - [BF16]: float32 without its last 16 bits, rounded to nearest even.
//     Activations and sums stay float32.
//   - [Int8]: a number from −127 to 127 times a scale for each output. A row of
//     activations is rounded in the same way, by its largest magnitude, each
//     2,048 of a longer one by their own. Sums of the products are exact.
//   - [Mixed]: whatever products multiply, forward and back, is rounded to bf16
//     for them: weights, activations, states and gradients; but not where a folded
//     embedding and its gradient make that of the weights. Sums, and all that is
//     no product, stay float32. With AVX512_BF16 a product takes half of the time of
//     float32's; without, it is one of rounded floats, about as fast as
//     float32's. The two add up in different orders.
type Precision = kernel.Precision

// The precisions.
const (
	Float32 = kernel.Float32
	BF16    = kernel.BF16
	Int8    = kernel.Int8
	Mixed   = kernel.Mixed
)

// Quantize sets q to x as multiples of a scale, −127 to 127, and returns the
// scale, which has 16 significant bits: the multiples are exact floats, and
// quantized again they give the same. The scale of a row that is nearly zero,
// below 2⁻¹⁰⁰, is 0.
func Quantize(q []int8, x []float32) (scale float32) { return kernel.Quantize(q, x) }

// ToBF16 is x rounded to bf16, nearest even, but a finite x stays finite.
func ToBF16(x float32) uint16 { return kernel.ToBF16(x) }

// FromBF16 is the float that bf16 bits stand for.
func FromBF16(b uint16) float32 { return kernel.FromBF16(b) }
