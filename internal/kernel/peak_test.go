package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Halving is exact, so fused or not, each sum has the same bits.
func TestFMALoop(t *testing.T) {
	defer Use(InUse())
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range Levels() {
		Use(l)
		for _, n := range []int{1, 2, 7, fmaPiece} {
			var got, want [chains * Lane]float32
			for i := range got {
				got[i] = float32(r.NormFloat64())
				want[i] = got[i]
				for range n * min(1, chains*lanes()/(i+1)) {
					want[i] = want[i]*0.5 + 1
				}
			}
			fmaLoop(&got, n, 0.5, 1)
			equal(t, l.String(), got[:], want[:])
		}
	}
}

func TestPeakFMA(t *testing.T) {
	defer Use(InUse())
	for _, l := range Levels() {
		Use(l)
		one := map[Level]float64{Generic: 24, AVX2: 192, AVX512: 384}[l]
		for _, n := range []int{0, 1, fmaPiece, 2*fmaPiece + 5} {
			if flops := PeakFMA(n); flops != float64(n)*one {
				t.Errorf("%v: %d iterations: %v operations, want %v", l, n, flops, float64(n)*one)
			}
		}
	}
}

// Small integers sum exactly in any order, and what stands beside them is NaN.
func TestReadSum(t *testing.T) {
	defer Use(InUse())
	r := rand.New(rand.NewPCG(1, 2))
	for _, l := range Levels() {
		Use(l)
		for _, n := range []int{0, 1, 7, 8, 9, readRow - 1, readRow, readRow + 1, 3*readRow + 13, readPiece - 1, readPiece, 2*readPiece + readRow + 3} {
			p, check := guarded(t, n)
			want := float32(0)
			for i := range p {
				p[i] = float32(r.IntN(64))
				want += p[i]
			}
			for _, times := range []int{0, 1, 3} {
				if got := ReadSum(p, times); got != float32(times)*want {
					t.Errorf("%v: %d floats %d times: %v, want %v", l, n, times, got, float32(times)*want)
				}
			}
			check()
			if n > 0 {
				p[r.IntN(n)] = float32(math.Inf(1))
				if got := ReadSum(p, 2); !math.IsInf(float64(got), 1) {
					t.Errorf("%v: %d floats, one of them infinite: %v", l, n, got)
				}
			}
		}
		if got := ReadSum([]float32{1}, 2*readPiece+3); got != 2*readPiece+3 {
			t.Errorf("%v: one float many times: %v", l, got)
		}
	}
}

func BenchmarkPeak(b *testing.B) {
	defer Use(InUse())
	for _, l := range Levels() {
		b.Run(l.String()+"/fma", func(b *testing.B) {
			Use(l)
			flops := 0.0
			for b.Loop() {
				flops += PeakFMA(1 << 20)
			}
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
		for _, kib := range []int{16, 24, 512, 8 << 10, 256 << 10} {
			p := make([]float32, kib<<8)
			for i := range p {
				p[i] = 1 // until then all of it may be one page of zeros
			}
			b.Run(fmt.Sprintf("%v/read/%dKiB", l, kib), func(b *testing.B) {
				Use(l)
				times := max(1, 1<<14/kib)
				b.SetBytes(int64(kib) << 10 * int64(times))
				for b.Loop() {
					ReadSum(p, times)
				}
			})
		}
	}
}
