package data

import "testing"

func BenchmarkNext(b *testing.B) {
	x, y := make([]int32, 35*32), make([]int32, 35*32)
	for _, in := range []string{"memory", "file"} {
		for _, sampling := range []string{"consecutive", "random"} {
			b.Run("in="+in+"/sampling="+sampling, func(b *testing.B) {
				ids := NewSymbols(count(100000))
				if in == "file" {
					ids = inFile(b, count(100000), 100000)
				}
				s, err := NewSampler(ids, Batches{Batch: 32, Steps: 35, Sampling: sampling})
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if steps, err := s.Next(x, y); err != nil {
						b.Fatal(err)
					} else if steps == 0 {
						s.Epoch(s.Cursor().Epoch + 1)
					}
				}
			})
		}
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

// BenchmarkLargeVocab is a text of 1,000,000 words, 250,000 of them different.
func BenchmarkLargeVocab(b *testing.B) {
	z := Zipf{Symbols: 250_000}
	v, err := z.Vocab()
	if err != nil {
		b.Fatal(err)
	}
	ids := z.IDs(1_000_000)
	for i := range z.Symbols {
		ids[4*i] = int32(i)
	}
	text := v.Decode(ids)
	list, err := v.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"BuildVocab", func() error { _, err := BuildVocab(text, VocabOptions{Kind: "word"}); return err }},
		{"Encode", func() error { _, err := v.Encode(text); return err }},
		{"ParseVocab", func() error { _, err := ParseVocab(list); return err }},
		{"IDs", func() error { z.IDs(len(ids)); return nil }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
