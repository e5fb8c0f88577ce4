package train

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sluice/data"
	"sluice/nn"
)

// updating is a run and its next update, from the start again after an epoch.
func updating(b *testing.B, c Config, text *Text, team *nn.Team) (*run, func()) {
	r, err := newRun(c, text, team, Options{})
	if err != nil {
		b.Fatal(err)
	}
	return r, func() {
		if u, err := r.update(1e-3); err != nil {
			b.Fatal(err)
		} else if u.count == 0 {
			r.deal.SetCursor(data.Cursor{})
		}
	}
}

// BenchmarkUpdate is one update of D2L's experiment: 32 rows of 35 steps over
// 1,000 characters. A token is one of the 1,120 targets.
func BenchmarkUpdate(b *testing.B) {
	c, err := Preset("d2l")
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	chars := make([]rune, 12_500)
	for i := range chars {
		if chars[i] = rune(0x4E00 + r.IntN(1000)); i < 1000 {
			chars[i] = rune(0x4E00 + i)
		}
	}
	text := prepare(b, c, string(chars))
	if text.Vocab.Size() != 1000 {
		b.Fatalf("a vocabulary of %d", text.Vocab.Size())
	}
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("cell=gru/V=1000/H=256/B=32/T=35/threads=%d", threads), func(b *testing.B) {
			team := nn.NewTeam(threads)
			defer team.Close()
			_, update := updating(b, c, text, team)
			update()
			b.ReportAllocs()
			for b.Loop() {
				update()
			}
			b.ReportMetric(float64(b.N*c.Batches.Batch*c.Batches.Steps)/b.Elapsed().Seconds(), "tokens/s")
		})
	}
}
