package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"sluice/model"
	"sluice/rnn"
	"sluice/train"
)

// tiny are the arguments of a run that takes no time.
func tiny(args ...string) []string {
	return slices.Concat([]string{"train", "--hidden", "4", "--epochs", "1", "--predict-every", "0"}, args)
}

// watch is a standard output that calls seen with each line.
type watch struct {
	bytes.Buffer
	seen func(line string)
}

func (w *watch) Write(b []byte) (int, error) {
	w.seen(string(b))
	return w.Buffer.Write(b)
}

// events are the JSON lines of a run.
func events(t *testing.T, out string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(out) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		list = append(list, e)
	}
	return list
}

func TestJSON(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	args := []string{"train", "--hidden", "4", "--epochs", "2", "--predict-every", "2", "--prefix", "分", "--predict-length", "3", "--json"}
	if status := run(t.Context(), args, nil, &out, &errs); status != 0 || errs.Len() > 0 {
		t.Fatalf("status %d, standard error %q", status, errs.String())
	}
	list := events(t, out.String())
	var kinds []string
	for _, e := range list {
		if kind := e["event"].(string); kind != "progress" {
			kinds = append(kinds, kind)
		}
	}
	if want := []string{"start", "epoch", "epoch", "sample", "end"}; !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
	end := list[len(list)-1]
	if end["status"] != "done" || end["epochs"] != 2.0 || end["train_perplexity"].(float64) < 1 || end["seconds"].(float64) <= 0 {
		t.Errorf("end %v", end)
	}
	for _, file := range end["files"].([]any) {
		if _, err := os.Stat(file.(string)); err != nil {
			t.Error(err)
		}
	}
	out.Reset()
	if status := run(t.Context(), []string{"inspect", "--json"}, nil, &out, io.Discard); status != 0 {
		t.Fatalf("inspect: status %d", status)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.Model.RNN.Hidden != 4 || r.Vocab.Size == 0 || len(r.Tensors) == 0 {
		t.Errorf("inspect --json: %v, %+v", err, r)
	}
}

// A run that is stopped after some updates ends there and leaves a model.
func TestStopped(t *testing.T) {
	for _, test := range []struct {
		name, after, says string
		curve             bool
	}{
		{"first epoch", `"progress"`, "saved the weights as they were in the first epoch in ", false},
		{"second epoch", `"epoch":1,"updates"`, "saved the best so far (epoch 1) in ", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			defer goleak.VerifyNone(t)
			t.Chdir(t.TempDir())
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			out := &watch{seen: func(line string) {
				if strings.Contains(line, test.after) {
					cancel()
				}
			}}
			var errs bytes.Buffer
			status := run(ctx, tiny("--epochs", "1000", "--json"), nil, out, &errs)
			if line := errs.String(); status != exitInterrupted || !strings.HasPrefix(line, "sluice: interrupted; "+test.says) || strings.Count(line, "\n") != 1 {
				t.Fatalf("status %d, standard error %q", status, line)
			}
			list := events(t, out.String())
			if end := list[len(list)-1]; end["status"] != "interrupted" {
				t.Errorf("end %v", end)
			}
			folder := filepath.Join(runsFolder, "lyrics-001")
			if _, err := model.Open(filepath.Join(folder, modelFile)); err != nil {
				t.Error(err)
			}
			if _, err := os.Stat(filepath.Join(folder, "curve.png")); (err == nil) != test.curve {
				t.Errorf("curve: %v, want one: %v", err, test.curve)
			}
		})
	}
}

// A real signal to a real process.
func TestSignal(t *testing.T) {
	if windows {
		t.Skip("no signals to send here")
	}
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		c := exec.Command(exe, tiny("--epochs", "100000", "--json")...)
		c.Args[0], c.Dir, c.Stderr = "sluice", t.TempDir(), &errs
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		last := ""
		for lines := bufio.NewScanner(out); lines.Scan(); last = lines.Text() {
			if strings.HasPrefix(lines.Text(), `{"event":"progress"`) {
				c.Process.Signal(signal)
			}
		}
		c.Wait()
		if status := c.ProcessState.ExitCode(); status != exitInterrupted || !strings.HasPrefix(last, `{"event":"end","status":"interrupted"`) {
			t.Errorf("%v: status %d, last event %q, standard error %q", signal, status, last, errs.String())
		}
		if _, err := model.Open(filepath.Join(c.Dir, runsFolder, "lyrics-001", modelFile)); err != nil {
			t.Error(err)
		}
	}
}

// silentInput says that it is read, and gives nothing.
type silentInput struct {
	*io.PipeReader
	read func()
}

func (s silentInput) Read(b []byte) (int, error) {
	s.read()
	return s.PipeReader.Read(b)
}

func TestStoppedWhileReading(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Chdir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer w.Close()
	var errs bytes.Buffer
	if status := run(ctx, tiny("-"), silentInput{r, cancel}, io.Discard, &errs); status != exitInterrupted || errs.String() != "sluice: interrupted\n" {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func TestDiverged(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	args := tiny("--epochs", "50", "--cell", "rnn", "--activation", "relu", "--optimizer", "sgd", "--schedule", "constant", "--lr", "1e12", "--layers", "2", "--clip", "0")
	status := run(t.Context(), args, nil, &out, &errs)
	if line := errs.String(); status != exitFailed || !strings.HasPrefix(line, "sluice: diverged after ") || strings.Count(line, "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, line)
	}
	if _, err := os.Stat(filepath.Join(runsFolder, "lyrics-001", modelFile)); err == nil {
		t.Error("a run that diverged in its first epoch left a model")
	}
	if _, err := train.OpenCheckpoint(filepath.Join(runsFolder, "lyrics-001", train.CheckpointsFolder, "update-00000001.safetensors")); err != nil {
		t.Error(err)
	}
}

// broken is a standard output that takes no more after n bytes.
type broken struct {
	n   int
	err error
}

func (b *broken) Write(p []byte) (int, error) {
	if b.n -= len(p); b.n < 0 {
		return 0, b.err
	}
	return len(p), nil
}

func TestStandardOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	if status := run(t.Context(), tiny("--quiet", "--out", "m"), nil, io.Discard, os.Stderr); status != 0 {
		t.Fatalf("status %d", status)
	}
	for _, test := range []struct {
		name   string
		err    error
		status int
		line   string
	}{
		{"closed", &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, exitOK, ""},
		{"full", &os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, exitFailed, "sluice: standard output: no space left on device\n"},
	} {
		for _, args := range [][]string{{"generate", "m", "--prime", "分", "--length", "100000000"}, {"inspect", "m"}, {"eval", "m"}, {"version"}, tiny("--out", test.name)} {
			var errs bytes.Buffer
			status := run(t.Context(), args, nil, &broken{10, test.err}, &errs)
			line := errs.String()
			if args[0] == "generate" {
				_, line, _ = strings.Cut(line, "\n") // after what model and seed
			}
			if status != test.status || line != test.line {
				t.Errorf("%s, %s: status %d, standard error %q, want %d, %q", test.name, args[0], status, line, test.status, test.line)
			}
		}
		if _, err := model.Open(filepath.Join(test.name, modelFile)); err != nil {
			t.Errorf("%s: the training was not to suffer: %v", test.name, err)
		}
	}
}

// Runs that start at once get folders of their own.
func TestClaimAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	const n = 16
	paths := make([]string, n)
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			f, err := claim("", "x")
			if err != nil {
				t.Error(err)
				return
			}
			paths[i] = f.path
		})
	}
	wait.Wait()
	slices.Sort(paths)
	if paths = slices.Compact(paths); len(paths) != n || paths[0] != filepath.Join("runs", "x-001") || paths[n-1] != filepath.Join("runs", "x-016") {
		t.Errorf("folders %v", paths)
	}
}

// A folder in which nothing was written goes again, and those made for it.
func TestRelease(t *testing.T) {
	t.Chdir(t.TempDir())
	f, err := claim(filepath.Join("a", "b", "c"), "")
	if err != nil {
		t.Fatal(err)
	}
	f.release()
	if _, err := os.Stat("a"); !os.IsNotExist(err) {
		t.Errorf("a: %v", err)
	}
	f, err = claim("", "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.path, modelFile), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	f.release()
	if _, err := os.Stat(f.path); err != nil {
		t.Error(err)
	}
}

// A save that fails leaves nothing.
func TestSaveFails(t *testing.T) {
	t.Chdir(t.TempDir())
	out := &watch{seen: func(line string) {
		if strings.Contains(line, `"start"`) {
			os.RemoveAll(runsFolder) // it can be no file's folder any more
		}
	}}
	var errs bytes.Buffer
	status := run(t.Context(), tiny("--json"), nil, out, &errs)
	if line := errs.String(); status != exitFailed || !strings.Contains(line, "model.safetensors") || strings.Count(line, "\n") != 1 {
		t.Errorf("status %d, standard error %q", status, line)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// A model that reads no text can be inspected; what is for texts says so.
func TestModelOfNumbers(t *testing.T) {
	t.Chdir(t.TempDir())
	m, err := model.New(model.Spec{Task: model.Regress, Features: 2, Outputs: 1, RNN: rnn.Config{Cell: "lstm", Hidden: 3, Layers: 1, Biases: 1}}, model.Names{})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save("numbers.safetensors"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"inspect"}, {"inspect", "--json"}} {
		var out, errs bytes.Buffer
		if status := run(t.Context(), append(args, "numbers.safetensors"), nil, &out, &errs); status != 0 || !strings.Contains(out.String(), "regress") || strings.Contains(out.String(), "vocab") {
			t.Errorf("%v: status %d, %s%s", args, status, out.String(), errs.String())
		}
	}
	for _, args := range [][]string{{"eval"}, {"generate"}, {"quantize", "--to", "int8"}, {"bench"}} {
		var out, errs bytes.Buffer
		status := run(t.Context(), append(args, "numbers.safetensors"), nil, &out, &errs)
		if want := "sluice: numbers.safetensors: a model of task regress: want a language model\n"; status != exitFailed || errs.String() != want || out.Len() > 0 {
			t.Errorf("%v: status %d, %q, %q", args, status, errs.String(), out.String())
		}
	}
}
