package kernel

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

func TestTeamGivesTheSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, threads := range []int{1, 2, 3, 8} {
		team := NewTeam(threads)
		for range 40 {
			rows, n, k := r.IntN([]int{300, 12}[r.IntN(2)]), 1+r.IntN(70), 1+r.IntN(300)
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
	for _, threads := range []int{0, 1, 2, 5} {
		var team *Team
		if threads > 0 {
			team = NewTeam(threads)
			defer team.Close()
		}
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
			r.team.Together(threads, 0, &r)
		}
		r.team.Close()
		if r.bad.Load() {
			t.Errorf("threads %d: a part went on before the others had come", threads)
		}
	}
}

// fragile is a job whose parts meet some times, then the one on the caller's
// goroutine panics where the others meet again. Without a team they do not
// meet, and the others have work left when it panics.
type fragile struct {
	team   *Team
	meets  int
	caller uint64
	inside atomic.Int64 // parts at work
	begun  atomic.Bool  // the caller's part
}

func (f *fragile) Run(int) {
	f.inside.Add(1)
	defer f.inside.Add(-1)
	for range f.meets {
		f.team.Meet()
	}
	switch {
	case goroutine() == f.caller:
		f.begun.Store(true)
		panic("fragile")
	case f.team != nil:
		f.team.Meet()
	default:
		for !f.begun.Load() {
			runtime.Gosched()
		}
		for range 1000 {
			runtime.Gosched()
		}
	}
}

// goroutine is the number of the goroutine that calls.
func goroutine() (id uint64) {
	text := make([]byte, 64)
	for _, c := range text[len("goroutine "):runtime.Stack(text, false)] {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}

// A panic of the caller's part leaves a team of which none is at work, and
// that works again.
func TestPanicOfACallersPart(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		team := NewTeam(threads)
		check := func(f *fragile, run func()) {
			defer func() {
				if got, n := recover(), f.inside.Load(); got != "fragile" || n != 0 {
					t.Fatalf("threads %d, %d meetings: panic %v with %d parts at work, want that of the part and none", threads, f.meets, got, n)
				}
			}()
			run()
		}
		for range 5 {
			alone := &fragile{caller: goroutine()}
			check(alone, func() { team.Do(5*threads, alone) })
			for meets := range 4 {
				f := &fragile{team: team, meets: meets, caller: goroutine()}
				check(f, func() { team.Together(threads, time.Second, f) })
				if team.meet.spins != spins {
					t.Fatalf("threads %d: waits of %d looks, want %d", threads, team.meet.spins, spins)
				}
			}
			r := rounds{team: team}
			team.Together(threads, 0, &r)
			if r.bad.Load() {
				t.Fatalf("threads %d: a part went on before the others had come", threads)
			}
		}
		team.Close()
	}
}

func TestNewTeamOfTooMany(t *testing.T) {
	defer func() {
		if got, want := recover(), "kernel: NewTeam: 65537 threads, want at most 65536"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	NewTeam(1<<16 + 1)
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
	m.team.Together(2, 0, &m)
}
