package data

import "testing"

func BenchmarkNext(b *testing.B) {
	x, y := make([]int32, 35*32), make([]int32, 35*32)
	for _, sampling := range []string{"consecutive", "random"} {
		b.Run("sampling="+sampling, func(b *testing.B) {
			s, err := NewSampler(count(100000), Batches{Batch: 32, Steps: 35, Sampling: sampling})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if s.Next(x, y) == 0 {
					s.Epoch(s.Cursor().Epoch + 1)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	for _, kind := range []string{"char", "byte", "word"} {
		b.Run("kind="+kind, func(b *testing.B) {
			text, err := Load("english")
			if err != nil {
				b.Fatal(err)
			}
			v, err := BuildVocab(text, VocabOptions{Kind: kind})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			var ids []int32
			for b.Loop() {
				ids, _ = v.EncodeAppend(ids[:0], text)
			}
		})
	}
}
