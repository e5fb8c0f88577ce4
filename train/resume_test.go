package train

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sluice/data"
	"sluice/internal/disk/disktest"
	"sluice/model"
	"sluice/optim"
)

const dir = "run"

// saved is small, with what a checkpoint has to keep: masks, a state carried,
// held-out text, samples, moments.
func saved() Config {
	c := small()
	c.Split.Validation, c.Batches.Offset, c.Batches.Steps = 0.2, true, 12
	c.Model.Embed, c.Model.OutputDropout, c.Model.RNN.Layers, c.Model.RNN.Dropout = 4, 0.2, 2, 0.2
	c.Prefixes, c.PredictEvery, c.PredictLength = []string{"the"}, 1, 3
	c.Schedule.Kind = "cosine"
	return c
}

// in runs in a folder of m, with a checkpoint after every so many updates, from
// the newest one. A crash of m ends it, as it would a process.
func in(t *testing.T, m *disktest.Memory, c Config, d Data, every int) (result *Result, warnings []error, err error) {
	t.Helper()
	if err := m.Mkdir(dir); err == nil {
		m.SyncFolder(".")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	warn := func(err error) {
		if warnings = append(warnings, err); m.Crashed() {
			cancel()
		}
	}
	f := newFolder(m, dir)
	f.Updates, f.Time = every, 0
	o := Options{Threads: 1, Folder: f, Observe: func(e Event) {
		if w, ok := e.(Warning); ok {
			warn(w.Err)
		}
	}}
	if o.From, err = f.Newest(warn); err != nil {
		return nil, warnings, err
	}
	result, err = Run(ctx, c, d, o)
	return result, warnings, err
}

// left is what a run has left in its folder: the model and the log without its
// times.
func left(t *testing.T, m *disktest.Memory) string {
	t.Helper()
	log := string(m.Get(filepath.Join(dir, EventsFile)))
	var lines []string
	for line := range strings.Lines(log) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("event log: %q: %v", line, err)
		}
		delete(e, "seconds")
		delete(e, "tokens_per_second")
		b, _ := json.Marshal(e)
		lines = append(lines, string(b))
	}
	return strings.Join(lines, "\n") + "\n" + string(m.Get(filepath.Join(dir, ModelFile)))
}

// words makes a run one over words, with an adaptive softmax of two clusters.
func words(c *Config) {
	c.Vocab.Kind, c.Model.Cutoffs, c.Model.RNN.Hidden, c.Batches.Steps = "word", []int{2, 5}, 16, 4
}

var everyCrash = flag.Bool("every-crash", false, "TestCrashes crashes at every operation on the disk, not at some")

// A run that a crash ends at any operation, and that goes on, ends with the
// bytes of one that was not ended: after a kill, and after a loss of power with
// whatever it leaves on the disk.
func TestCrashes(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"consecutive": func(*Config) {},
		"random":      func(c *Config) { c.Batches.Sampling, c.Optimizer = "random", optim.Rule{Kind: "sgd", Momentum: 0.9} },
		"averaged": func(c *Config) {
			c.Average, c.Patience, c.Epochs, c.Keep = 1, 4, 6, KeepHeldOut
			c.Schedule = optim.Schedule{Kind: "plateau", Rate: 0.3, Patience: 1, Factor: 0.5, Final: 0.1}
			c.Batches.Vary, c.Model.EmbeddingDropout, c.Model.RNN.Locked, c.Model.RNN.WeightDrop = true, 0.2, true, 0.3
		},
		"words":       words,
		"accumulated": func(c *Config) { c.Accumulate, c.Precision, c.Keep = 3, BF16, KeepHeldOut },
	} {
		t.Run(name, func(t *testing.T) {
			c := saved()
			change(&c)
			crashes(t, name, c, prepare(t, c, song))
		})
	}
	for _, task := range []string{model.Tag, model.Classify, model.Forecast} {
		t.Run(task, func(t *testing.T) {
			c, x := smallTask(t, task)
			crashes(t, task, c, x)
		})
	}
}

// crashes ends a run of d at operations on the disk.
func crashes(t *testing.T, name string, c Config, d Data) {
	whole := disktest.New()
	if _, warnings, err := in(t, whole, c, d, 4); err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	want, ops := left(t, whole), len(whole.Ops())
	if plain, _ := mustRun(t, c, d); !bytes.Equal(modelBytes(t, plain), whole.Get(filepath.Join(dir, ModelFile))) {
		t.Error("a folder changes the model")
	}
	step := 4
	switch {
	case *everyCrash:
		step = 1
	case testing.Short():
		step = 13
	}
	for i := 2 + len(name)%step; i < ops; i += step { // the first two make the folder
		m := disktest.New()
		m.Inject(disktest.At(i, disktest.ErrCrashed))
		if _, _, err := in(t, m, c, d, 4); !m.Crashed() {
			t.Fatalf("operation %d: no crash: %v", i, err)
		}
		after := []*disktest.Memory{m.Killed()}
		for seed := range uint64(3) {
			after = append(after, m.Survivors(seed))
		}
		for k, m := range after {
			if _, warnings, err := in(t, m, c, d, 4); err != nil {
				t.Fatalf("operation %d (%v), state %d: %v (%v)", i, whole.Ops()[i], k, err, warnings)
			}
			if got := left(t, m); got != want {
				t.Fatalf("operation %d (%v), state %d: another model or log", i, whole.Ops()[i], k)
			}
		}
	}
	t.Logf("%d operations", ops)
}

func modelBytes(t *testing.T, r *Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Model.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A run that is ended again and again, also while it is taken up, comes to the
// same end.
func TestCrashesAgainAndAgain(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	whole := disktest.New()
	if _, _, err := in(t, whole, c, text, 2); err != nil {
		t.Fatal(err)
	}
	want := left(t, whole)
	random := rand.New(rand.NewPCG(1, 2))
	for crashes := 0; crashes < 40; {
		m := disktest.New()
		for {
			m.Inject(disktest.At(2+random.IntN(60), disktest.ErrCrashed))
			_, _, err := in(t, m, c, text, 2)
			if !m.Crashed() {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if crashes++; random.IntN(2) == 0 {
				m = m.Killed()
			} else {
				m = m.Survivors(random.Uint64())
			}
		}
		if left(t, m) != want {
			t.Fatal("another model or log")
		}
	}
}

// Ctrl-C leaves a checkpoint of the moment.
func TestEndedGoesOn(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	whole := disktest.New()
	if _, _, err := in(t, whole, c, text, 0); err != nil {
		t.Fatal(err)
	}
	want := left(t, whole)
	for endAt := 1; endAt <= 16; endAt++ {
		m := disktest.New()
		if err := m.Mkdir(dir); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		rec := &recorder{endAt: endAt, cancel: cancel}
		f := newFolder(m, dir)
		if _, err := Run(ctx, c, text, Options{Folder: f, Observe: rec.observe}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		checkpoint, err := newFolder(m, dir).Newest(func(err error) { t.Error(err) })
		if err != nil || checkpoint.Updates() != endAt {
			t.Fatalf("ended at update %d: checkpoint %v, error %v", endAt, checkpoint, err)
		}
		if _, warnings, err := in(t, m, c, text, 0); err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		if left(t, m) != want {
			t.Fatalf("ended at update %d: another model or log", endAt)
		}
	}
}

// A disk that is full, or fails, costs checkpoints and a warning each, never the
// run.
func TestDiskFails(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	whole := disktest.New()
	if _, _, err := in(t, whole, c, text, 4); err != nil {
		t.Fatal(err)
	}
	want, ops := left(t, whole), len(whole.Ops())
	for name, err := range map[string]error{"full": disktest.Half(syscall.ENOSPC), "failing": syscall.EIO, "read-only": syscall.EROFS} {
		for i := 2; i < ops; i += 3 {
			m := disktest.New()
			m.Inject(disktest.At(i, err))
			_, warnings, failed := in(t, m, c, text, 4)
			if i < 4 && errors.Is(failed, map[string]error{"full": syscall.ENOSPC, "failing": syscall.EIO, "read-only": syscall.EROFS}[name]) {
				// the log cannot be opened: the run does not begin
			} else if failed != nil && !errors.Is(failed, ErrNotSaved) || failed == nil && len(warnings) == 0 && whole.Ops()[i].Kind != "remove" {
				t.Errorf("%s at operation %d (%v): error %v, warnings %v", name, i, whole.Ops()[i], failed, warnings)
			}
			if failed != nil { // of the model, at the end
				m.Inject()
				if _, _, err := in(t, m, c, text, 4); err != nil {
					t.Error(err)
				}
			}
			if left(t, m) != want {
				t.Fatalf("%s at operation %d (%v): another model or log", name, i, whole.Ops()[i])
			}
		}
		m := disktest.New()
		m.Inject(disktest.From(20, err))
		result, warnings, failed := in(t, m, c, text, 4)
		if !errors.Is(failed, ErrNotSaved) || len(warnings) < 3 || result == nil {
			t.Errorf("%s from operation 20 on: error %v, warnings %v", name, failed, warnings)
		}
	}
}

// A checkpoint that is damaged anywhere is passed over with a warning; if none is
// whole, that is said.
func TestDamaged(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	m := disktest.New()
	m.Inject(disktest.At(90, disktest.ErrCrashed))
	in(t, m, c, text, 4)
	m = m.Killed()
	whole := m.Killed()
	if _, _, err := in(t, whole, c, text, 4); err != nil {
		t.Fatal(err)
	}
	f := newFolder(m, dir)
	all, err := f.Checkpoints()
	if err != nil || len(all) < 2 {
		t.Fatal(all, err)
	}
	newest, before := f.checkpointPath(all[len(all)-1]), all[len(all)-2]
	size := len(m.Get(newest))
	damage := map[string]func(*disktest.Memory){
		"cut":   func(m *disktest.Memory) { m.Truncate(newest, int64(size)-1) },
		"empty": func(m *disktest.Memory) { m.Truncate(newest, 0) },
	}
	for at := 0; at < size; at += size/40 + 1 {
		damage[fmt.Sprintf("byte %d", at)] = func(m *disktest.Memory) { m.Flip(newest, 8*at+at%8) }
	}
	for name, damage := range damage {
		m := m.Killed()
		damage(m)
		var warnings []error
		checkpoint, err := newFolder(m, dir).Newest(func(err error) { warnings = append(warnings, err) })
		if err != nil || len(warnings) != 1 || checkpoint.Updates() != before || !strings.HasPrefix(warnings[0].Error(), newest+": train: checkpoint: ") {
			t.Errorf("%s: error %v, warnings %v", name, err, warnings)
		}
		if _, _, err := in(t, m, c, text, 4); err != nil || left(t, m) != left(t, whole) {
			t.Errorf("%s: another model or log, error %v", name, err)
		}
	}
	for _, n := range all {
		m.Truncate(f.checkpointPath(n), 100)
	}
	_, err = newFolder(m, dir).Newest(func(error) {})
	wantError(t, err, fmt.Sprintf("train: run/checkpoints: none of %d checkpoints is whole: the run can only begin anew", len(all)))
}

// The last ones are kept; those that a run had reached before it was taken back
// go with its first new one, so that the one taken back to stays till then.
func TestPrunes(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	m := disktest.New()
	if _, _, err := in(t, m, c, text, 3); err != nil {
		t.Fatal(err)
	}
	f := newFolder(m, dir)
	want := func(want ...int) {
		t.Helper()
		if all, err := f.Checkpoints(); err != nil || !slices.Equal(all, want) {
			t.Errorf("checkpoints %v, error %v; want %v", all, err, want)
		}
	}
	want(12, 15, 18)
	for _, n := range []int{15, 18} {
		m.Truncate(f.checkpointPath(n), 7)
	}
	m.Inject(func(_ int, op disktest.Op) error {
		if op.Kind == "rename" && op.To == f.checkpointPath(16) {
			return disktest.ErrCrashed
		}
		return nil
	})
	f.Keep = 1
	in(t, m, c, text, 2)
	m = m.Killed()
	f = newFolder(m, dir)
	want(12, 14)
}

// A checkpoint of another run is refused, both values named.
func TestOtherRun(t *testing.T) {
	c := saved()
	text := prepare(t, c, song)
	m := disktest.New()
	if _, _, err := in(t, m, c, text, 3); err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("the wheels on the bus go round and round!", 12)
	for want, change := range map[string]func(*Config) string{
		"seed is 2, and was 1":               func(c *Config) string { c.Seed = 2; return song },
		"model.rnn.hidden is 13, and was 12": func(c *Config) string { c.Model.RNN.Hidden = 13; return song },
		"clip_norm is not given, and was 1":  func(c *Config) string { c.ClipNorm = 0; return song },
		"patience is 3, and was not given":   func(c *Config) string { c.Patience = 3; return song },
		"the data's sha256 is ":              func(c *Config) string { return other },
		"the split into what is trained on and held out is 369 + 123, and was 393 + 99": func(c *Config) string { c.Split.Validation = 0.25; return song },
	} {
		c := c
		words := change(&c)
		text := prepare(t, c, words)
		_, _, err := in(t, m, c, text, 3)
		if got := fmt.Sprint(err); !strings.HasPrefix(got, "train: resume: "+want) || !strings.HasSuffix(got, " in the run to go on with: want the same") {
			t.Errorf("%s; want %s", got, want)
		}
	}
	skips := c
	skips.NonFinite = NonFiniteSkip
	if _, _, err := in(t, m, skips, text, 3); err != nil {
		t.Error(err)
	}

	// Ended before its first checkpoint, a run is known by its log.
	updates, err := newFolder(m, dir).Checkpoints()
	if err != nil || len(updates) == 0 {
		t.Fatal(updates, err)
	}
	for _, n := range updates {
		if err := m.Remove(filepath.Join(dir, CheckpointsFolder, checkpointName(n))); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := in(t, m, c, prepare(t, c, other), 3); err == nil || !strings.HasPrefix(err.Error(), "train: resume: the data's sha256 is ") {
		t.Errorf("without a checkpoint: %v", err)
	}
	if _, _, err := in(t, m, c, text, 3); err != nil {
		t.Error(err)
	}
}

// A run goes on with the tokenizer that it began with, not with another of the same
// tokens.
func TestOtherTokenizer(t *testing.T) {
	ids := map[string]int{}
	for _, r := range song {
		if _, ok := ids[string(r)]; !ok {
			ids[string(r)] = len(ids)
		}
	}
	vocab, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer := func(more string) *data.Vocab {
		v, err := data.TokenizerVocab([]byte(`{"model":{"type":"BPE","vocab":` + string(vocab) + `,"merges":[]}` + more + `}`))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	c := saved()
	c.Vocab, c.Tokenizer = data.VocabOptions{Kind: "tokenizer"}, tokenizer("")
	m := disktest.New()
	whole, _, err := in(t, m, c, prepare(t, c, song), 3)
	if err != nil || whole.Model.Vocab.Kind() != "tokenizer" {
		t.Fatal(err)
	}
	again := c
	again.Tokenizer = tokenizer(` `)
	if _, _, err := in(t, m, again, prepare(t, again, song), 3); err != nil {
		t.Error(err)
	}
	other := c
	for _, normalizer := range []string{`"NFC"`, `"Replace","pattern":{"String":"the "},"content":"t"`} { // of as many symbols, and of fewer
		other.Tokenizer = tokenizer(`,"normalizer":{"type":` + normalizer + `}`)
		if _, _, err := in(t, m, other, prepare(t, other, song), 3); err == nil || !strings.HasPrefix(err.Error(), "train: resume: the tokenizer's sha256 is ") {
			t.Errorf("another tokenizer: %v", err)
		}
	}
	other.Vocab.Kind = "char"
	_, err = Prepare(t.Context(), other, data.String(song))
	wantError(t, err, `train: a vocabulary of kind "tokenizer" as tokenizer, and of kind "char": want tokenizer for both`)
	c.Tokenizer = nil
	if _, err = Prepare(t.Context(), c, data.String(song)); err == nil {
		t.Error("no tokenizer: no error")
	}
}
