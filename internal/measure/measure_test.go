package measure

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

func TestSample(t *testing.T) {
	calls := 0
	times := Sample(t.Context(), func() { calls++; time.Sleep(time.Millisecond) }, 3, time.Microsecond)
	if len(times) != 3 || calls < 4 || Median(times) < 1e6 {
		t.Errorf("%d samples of %d calls: %v", len(times), calls, times)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if times := Sample(ctx, cancel, 1000, time.Hour); len(times) != 0 {
		t.Errorf("cancelled: %d samples", len(times))
	}
}

func TestCrew(t *testing.T) {
	defer goleak.VerifyNone(t)
	c := NewCrew(3)
	var runs [3]atomic.Int32
	for range 10 {
		c.Do(func(i int) { runs[i].Add(1) })
	}
	c.Close()
	for i := range runs {
		if n := runs[i].Load(); n != 10 {
			t.Errorf("thread %d ran %d times, want 10", i, n)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, n := range []int{1, 2} {
		c := NewCrew(n)
		for _, bytes := range []int{100, 1000, 1 << 20} {
			if call, work := Read(c, bytes); work < float64(n)*callBytes*0.5 || work > float64(n)*callBytes*1.5 {
				t.Errorf("read %d bytes: work %v", bytes, work)
			} else {
				call()
			}
		}
		call, work := FMA(c)
		start := time.Now()
		if call(); work <= 0 || time.Since(start) > 50*callTime {
			t.Errorf("fma: work %v, a call took %v", work, time.Since(start))
		}
		c.Close()
	}
}

func TestMemories(t *testing.T) {
	const k, m = 1 << 10, 1 << 20
	for _, c := range []struct {
		caches  []cache
		threads int
		want    []Memory
	}{
		{[]cache{{1, 32 * k, 1}, {2, m, 1}, {3, 32 * m, 2}}, 1, []Memory{{"L1", 16 * k}, {"L2", m / 2}, {"L3", 8 * m}, {"DRAM", 256 * m}}},
		{[]cache{{1, 32 * k, 1}, {2, m, 1}, {3, 32 * m, 2}}, 2, []Memory{{"L1", 16 * k}, {"L2", m / 2}, {"L3", 8 * m}, {"DRAM", 128 * m}}},
		{[]cache{{1, 32 * k, 2}, {2, m, 2}, {3, 32 * m, 16}}, 16, []Memory{{"L1", 8 * k}, {"L2", 256 * k}, {"L3", m}, {"DRAM", 16 * m}}},
		{nil, 1, []Memory{{"L1", 16 * k}, {"L2", 256 * k}, {"L3", 4 * m}, {"DRAM", 256 * m}}},
	} {
		if got := memories(c.caches, c.threads); !slices.Equal(got, c.want) {
			t.Errorf("%v, %d threads: %v, want %v", c.caches, c.threads, got, c.want)
		}
	}
}

func TestCaches(t *testing.T) {
	root := t.TempDir()
	for i, text := range [][4]string{{"1", "48K", "Data", "0"}, {"1", "32K", "Instruction", "0"}, {"2", "2048K", "Unified", "0,4"}, {"3", "32768K", "Unified", "0-3,8-11"}} {
		folder := filepath.Join(root, "devices/system/cpu/cpu0/cache", "index"+string(rune('0'+i)))
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for j, name := range []string{"level", "size", "type", "shared_cpu_list"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text[j]+"\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got, want := caches(root), []cache{{1, 48 << 10, 1}, {2, 2 << 20, 2}, {3, 32 << 20, 8}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := caches(t.TempDir()); got != nil {
		t.Errorf("a system that tells nothing: %v", got)
	}
}

func TestLayers(t *testing.T) {
	team := nn.NewTeam(2)
	defer team.Close()
	for _, cell := range []string{"lstm", "gru-after", "gru-before"} {
		l := Layers{Cell: cell, B: 2, T: 3, X: 4, H: 5, L: 2, D: 2}
		one := Layers{Cell: cell, B: 1, T: 1, X: 5, H: 5, L: 1, D: 1}
		for name, ready := range map[string]func(*nn.Team) (func(), error){"train": l.Train, "infer": l.Infer, "stream": one.Stream} {
			call, err := ready(team)
			if err != nil {
				t.Fatalf("%s %s: %v", name, cell, err)
			}
			call()
			call()
		}
	}
	l := Layers{Cell: "lstm", B: 2, T: 3, X: 4, H: 5, L: 2, D: 2}
	if got, want := l.Forward(), 2.*2*3*4*5*2*(4+5+10+5); got != want {
		t.Errorf("%v operations, want %v", got, want)
	}
	if _, err := (Layers{Cell: "none", B: 1, T: 1, X: 1, H: 1, L: 1, D: 1}).Infer(team); err == nil {
		t.Error("no such cell: no error")
	}
}

func TestUpdate(t *testing.T) {
	vocab, err := data.BuildVocab("abc", data.VocabOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(model.Spec{Task: model.LM, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Hidden: 4, Layers: 1, Biases: 1, Direction: rnn.Forward}}, model.Names{Vocab: vocab})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Init(rnn.Init{}, 1); err != nil {
		t.Fatal(err)
	}
	team := nn.NewTeam(2)
	defer team.Close()
	before := slices.Clone(m.Params)
	Update(m, RandomBatch(5, 2, 3), Training{Optimizer: optim.Rule{Kind: "sgd"}.New(len(m.Params)), Rate: 0.1, Clip: 1}, team)()
	if slices.Equal(before, m.Params) {
		t.Error("an update changed nothing")
	}
}
