package kernel

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

func TestTeamGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, threads := range []int{1, 2, 3, 8} {
		team := NewTeam(threads)
		for range 40 {
			rows, n, k := r.IntN(300), 1+r.IntN(70), 1+r.IntN(300)
			x, w, dy := random(r, BlocksLen(rows, k)), random(r, n*k), random(r, rows*n)
			var p Panels
			p.Pack(w, n, k, Order{})
			want, got := make([]float32, rows*n), make([]float32, rows*n)
			p.MulAdd(RowMajor(want, n), Blocks(x, rows), rows)
			team.MulAdd(p, RowMajor(got, n), Blocks(x, rows), rows)
			equal(t, "MulAdd", got, want)

			dw, db := make([]float32, n*k), make([]float32, n)
			gw, gb := make([]float32, n*k), make([]float32, n)
			one := NewTeam(1)
			one.AddOuter(dw, db, n, k, RowMajor(dy, n), Blocks(x, rows), rows)
			team.AddOuter(gw, gb, n, k, RowMajor(dy, n), Blocks(x, rows), rows)
			equal(t, "AddOuter", gw, dw)
			equal(t, "sum", gb, db)
		}
		team.Close()
	}
}

type count struct{ parts [50]atomic.Int32 }

func (c *count) Run(part int) { c.parts[part].Add(1); runtime.Gosched() }

func TestTeamRunsEachPartOnce(t *testing.T) {
	for _, threads := range []int{1, 2, 5} {
		team := NewTeam(threads)
		for range 100 {
			for parts := range 50 {
				var c count
				team.Do(parts, &c)
				for i := range c.parts {
					if got, want := c.parts[i].Load() == 1, i < parts; got != want {
						t.Fatalf("threads %d parts %d: part %d ran %d times", threads, parts, i, c.parts[i].Load())
					}
				}
			}
		}
		team.Close()
	}
}

// rounds is a job whose parts meet after each addition.
type rounds struct {
	team *Team
	sums [8]int
	bad  atomic.Bool
}

func (r *rounds) Run(part int) {
	for i := range 300 {
		r.sums[part]++
		r.team.Meet()
		for p := range r.team.Threads() {
			if r.sums[p] != i+1 {
				r.bad.Store(true)
			}
		}
		r.team.Meet()
	}
}

func TestMeet(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		r := rounds{team: NewTeam(threads)}
		for range 3 {
			r.sums = [8]int{}
			r.team.Together(threads, &r)
		}
		r.team.Close()
		if r.bad.Load() {
			t.Errorf("threads %d: a part went on before the others had come", threads)
		}
	}
}

func TestSpanCoversAll(t *testing.T) {
	for n := range 40 {
		for parts := 1; parts < 9; parts++ {
			next := 0
			for part := range parts {
				from, to := Span(n, part, parts, 4)
				if from != next || to < from {
					t.Fatalf("n %d part %d of %d: [%d,%d) after %d", n, part, parts, from, to, next)
				}
				next = to
			}
			if next != n {
				t.Fatalf("n %d in %d parts ends at %d", n, parts, next)
			}
		}
	}
}

type nothing struct{}

func (nothing) Run(int) {}

func BenchmarkDo(b *testing.B) {
	team := NewTeam(2)
	defer team.Close()
	for b.Loop() {
		team.Do(2, nothing{})
	}
}

type meets struct {
	team *Team
	n    int
}

func (m *meets) Run(int) {
	for range m.n {
		m.team.Meet()
	}
}

func BenchmarkMeet(b *testing.B) {
	m := meets{NewTeam(2), b.N}
	defer m.team.Close()
	b.ResetTimer()
	m.team.Together(2, &m)
}
