package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sluice/train"
)

var kills = flag.Int("kills", 4, "how often TestKilled kills a training")

// TestKilled kills real processes at random moments, those that go on with a run
// too, until it is done: it ends with the model and the log of one that was left
// alone. go test ./cmd/sluice -run TestKilled -kills 200 takes some minutes.
func TestKilled(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	start := func(args ...string) *exec.Cmd {
		c := exec.Command(exe, append(args, "--quiet", "--checkpoint-updates", "3", "--threads", "1")...)
		c.Args[0] = "sluice"
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	options := tiny("--epochs", "12", "--layers", "2", "--dropout", "0.3", "--predict-every", "3")
	began := time.Now()
	if err := start(append(options, "--out", "whole")...).Wait(); err != nil {
		t.Fatal(err)
	}
	took, want := time.Since(began), outcomeOf(t, "whole")
	random := rand.New(rand.NewPCG(1, 2))
	killed, resumed := 0, 0
	for killed < *kills {
		const dir = "run"
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		args := append(options, "--out", dir)
		for {
			c := start(args...)
			timer := time.AfterFunc(time.Duration(random.Float64()*float64(took)), func() { c.Process.Kill() })
			err := c.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if c.ProcessState.ExitCode() >= 0 {
				t.Fatal(err)
			}
			killed++
			if s, err := summarise(dir); err == nil && s.Status == "done" { // all but its pictures
				break
			}
			if _, err := os.Stat(filepath.Join(dir, runFile)); err != nil { // nothing yet to go on with
				os.RemoveAll(dir)
				continue
			}
			args = []string{"train", "--resume", dir}
			resumed++
		}
		if got := outcomeOf(t, dir); got != want {
			t.Fatalf("after %d kills: another model or log", killed)
		}
	}
	t.Logf("killed %d times, gone on with %d times", killed, resumed)
}

// outcomeOf is the model of a run and its log without times.
func outcomeOf(t *testing.T, dir string) string {
	t.Helper()
	m, err := os.ReadFile(filepath.Join(dir, modelFile))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, train.EventsFile))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for line := range bytes.Lines(log) {
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		delete(e, "seconds")
		delete(e, "tokens_per_second")
		text, _ := json.Marshal(e)
		b.Write(text)
	}
	return b.String() + string(m)
}
