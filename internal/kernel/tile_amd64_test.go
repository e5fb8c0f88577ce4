//go:build !purego

package kernel

import (
	"math/rand/v2"
	"testing"
)

// Nothing can interrupt assembly: no call of it adds more than enough terms,
// however long the sums are.
func TestCallsAreShort(t *testing.T) {
	most := 0
	for _, table := range [][4][]vectorFunc{vectorsAVX512, vectorsAVX2} {
		for _, some := range table {
			for n, f := range some {
				defer func() { some[n] = f }()
				some[n] = func(c *float32, ldc int, a *float32, width, jump int, b *float32, ldb, k int) {
					most = max(most, k<<n)
					f(c, ldc, a, width, jump, b, ldb, k)
				}
			}
		}
	}
	for _, table := range [][4][]halfFunc{halvesAVX512, halvesAVX2} {
		for _, some := range table {
			for n, f := range some {
				defer func() { some[n] = f }()
				some[n] = func(c *float32, ldc int, a *float32, width, jump int, b *uint32, ldb, k int) {
					most = max(most, k<<n)
					f(c, ldc, a, width, jump, b, ldb, k)
				}
			}
		}
	}
	for _, table := range append(tilesAVX512[:], tilesAVX2) {
		for m, f := range table {
			defer func() { table[m] = f }()
			table[m] = func(c *float32, ldc int, a *float32, row, step, width, jump int, b *float32, ldb, k, tiles int) {
				most = max(most, k*tiles)
				f(c, ldc, a, row, step, width, jump, b, ldb, k, tiles)
			}
		}
	}
	const n, k = 5*Wide + 20, 2*enough + 100
	r := rand.New(rand.NewPCG(1, 2))
	w := random(r, n*k)
	for _, as := range []Precision{Float32, BF16} {
		var p Weights
		p.Pack(nil, as, w, n, k, Order{})
		for _, l := range Levels()[1:] {
			before := Use(l)
			for _, rows := range []int{1, 2, 12, 40} {
				most = 0
				p.MulAdd(Blocks(make([]float32, BlocksLen(rows, n)), rows), RowMajor(make([]float32, rows*k), k), rows)
				if most == 0 || most > enough {
					t.Errorf("%v, %v, %d rows: a call adds %d terms, want at most %d", l, as, rows, most, enough)
				}
			}
			Use(before)
		}
	}
}
