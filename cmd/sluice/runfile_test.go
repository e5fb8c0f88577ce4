package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/alecthomas/kong"

	"sluice/train"
)

// parsed is what a command line of train makes.
func parsed(t *testing.T, args ...string) (*trainCmd, train.Config) {
	t.Helper()
	var c cli
	parser, err := (&env{}).parser(&c, kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(append([]string{"train"}, args...)); err != nil {
		t.Fatal(err)
	}
	c.Train.takeTask()
	base, err := c.Train.base(&env{})
	if err != nil {
		t.Fatal(err)
	}
	config, err := c.Train.config(base)
	if err != nil {
		t.Fatal(err)
	}
	c.Train.inherit(base)
	return &c.Train, config
}

// A run file makes the options that made it, and itself again.
func TestRunFile(t *testing.T) {
	for _, args := range [][]string{
		nil,
		{"--preset", "d2l"}, {"--preset", "awd-lstm"}, {"--preset", "adding", "--cell", "lstm", "--forget-bias", "1"},
		{"--cell", "lstm", "--layers", "3", "--dropout", "0.3", "--embed", "64", "--locked", "--zoneout", "0.1", "--zoneout-cell", "0.2", "--weight-drop", "0.5"},
		{"--cell", "lstm", "--peephole", "--projection", "30"}, {"--cell", "lstm", "--projection", "30", "--tied"},
		{"--cell", "rnn"}, {"--cell", "rnn", "--activation", "relu", "--layer-norm", "--optimizer", "sgd", "--momentum", "0.9", "--schedule", "step", "--lr-every", "7", "--letters"},
		{"--preset", "d2l", "--optimizer", "adam", "--schedule", "plateau", "--lr-patience", "3", "--lr-final", "0.001", "--average", "4", "--patience", "9"},
		{"--vocab", "word", "--unknown", "unk", "--min-count", "3", "--max-vocab", "99", "--lines", "10", "--test", "0.05", "--offset", "--no-orthogonal"},
		{"--preset", "awd-lstm", "--no-tied", "--embed", "30", "--dropout", "0", "--no-vary", "--smoothing", "0.1", "--ar", "0", "--accumulate", "4", "--non-finite", "lower"},
		{"--seed", "9223372036854775807", "--precision", "bf16", "--epsilon", "1e-7", "--init", "normal", "--clip-value", "0.5", "--keep", "last", "--warmup", "3"},
		{"tag"}, {"tag", "--no-lower", "--chars", "0", "--no-crf", "--scheme", "bioes", "--tag-column", "4", "--word-column", "2", "--format", "columns", "--tokens", "99", "--test-on", "t", "--vectors", "v", "--test", "0"},
		{"tag", "--chars", "8", "--chars-hidden", "9", "--tag-column", "xpos", "--cell", "gru", "--lines", "7", "--validation", "0"},
		{"classify"}, {"classify", "--pool", "attention", "--class-weights", "balanced", "--text-column", "5", "--label-column", "none", "--no-header", "--format", "tsv", "--vocab", "word"},
		{"classify", "--values", "a,b", "--embed", "0", "--input-dropout", "0", "--validation", "0.2", "--test", "0.1", "--label-column", "kind"},
		{"forecast"}, {"forecast", "--window", "6", "--horizon", "4", "--segment", "2", "--quantiles", "0.05,0.5,0.95", "--season", "3", "--max-rows", "50", "--gaps", "linear", "--time-column", "when", "--values", "x"},
		{"forecast", "--segment", "0", "--validation", "12", "--test", "24", "--season", "0", "--cell", "lstm", "--layers", "2"}, {"forecast", "--quantiles", "none", "--hidden", "32"},
		{"--tokenizer", "../../data/internal/tokenizer/testdata/gpt2.json"}, {"classify", "--tokenizer", "../../data/internal/tokenizer/testdata/gpt2.json"},
		{"--prefix", "a, \"b\"", "--prefix", "分开", "--held-out", "a file.txt", "--reset", "before", "--sampling", "random"},
	} {
		c, config := parsed(t, args...)
		config.Prefixes = c.RunFlags.Prefix
		var first, again bytes.Buffer
		if err := c.writeRunFile(&first, config, source{files: []string{"some text.txt", "-"}}); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "run file.toml")
		if err := os.WriteFile(path, first.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		back, same := parsed(t, "--config", path)
		same.Prefixes = back.RunFlags.Prefix
		if !reflect.DeepEqual(config, same) {
			t.Errorf("%v:\n\t%+v\nbecomes\n\t%+v", args, config, same)
		}
		if err := back.writeRunFile(&again, same, source{files: back.Files}); err != nil || again.String() != first.String() {
			t.Errorf("%v: error %v; the run file\n%s\nbecomes\n%s", args, err, first.String(), again.String())
		}
	}
}

// Every option of train but those of the moment can stand in a run file.
func TestRunFileHasAll(t *testing.T) {
	c, config := parsed(t)
	var b bytes.Buffer
	if err := c.writeRunFile(&b, config, source{}); err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{"preset": true, "data": true, "files": true, "held-out": true, "test-on": true, "vectors": true, "tokenizer": true, "prefix": true, "dropout": true, "checkpoint-minutes": true, "checkpoint-updates": true, "checkpoints": true}
	for _, g := range c.options(&config) {
		for _, o := range g.options {
			named[o.name] = true
		}
	}
	var all cli
	parser, err := (&env{}).parser(&all)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Children {
		for _, f := range n.Flags {
			if n.Name == "train" && !named[f.Name] && !ofTheMoment(f.Name) {
				t.Errorf("--%s stands in no run file", f.Name)
			}
		}
	}
}

// Flags beat a run file as they beat a preset: what belongs to another choice
// than the file's goes.
func TestFlagsBeatRunFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.toml")
	for _, k := range []struct{ file, flags, same []string }{
		{[]string{"--cell", "gru"}, []string{"--cell", "lstm"}, []string{"--cell", "lstm"}},
		{nil, []string{"--optimizer", "sgd"}, []string{"--optimizer", "sgd"}},
		{nil, []string{"--schedule", "constant"}, []string{"--schedule", "constant"}},
		{[]string{"--embed", "8", "--layers", "2"}, []string{"--dropout", "0.5"}, []string{"--embed", "8", "--layers", "2", "--dropout", "0.5"}},
		{[]string{"--lines", "10"}, []string{"--validation", "0.2"}, []string{"--validation", "0.2"}},
		{nil, []string{"--lines", "10"}, []string{"--lines", "10"}},
		{nil, []string{"--letters"}, []string{"--letters"}},
		{[]string{"--layers", "2", "--dropout", "0.3"}, []string{"--layers", "1"}, []string{"--dropout", "0.3"}},
		{[]string{"--embed", "16"}, []string{"--tied"}, []string{"--embed", "256", "--tied"}},
		{[]string{"--seed", "3", "--prefix", "we"}, []string{"--epochs", "2"}, []string{"--seed", "3", "--epochs", "2"}},
	} {
		c, config := parsed(t, k.file...)
		var b bytes.Buffer
		if err := c.writeRunFile(&b, config, source{}); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		_, got := parsed(t, append(k.flags, "--config", path)...)
		if _, want := parsed(t, k.same...); !reflect.DeepEqual(got, want) {
			t.Errorf("%v over the file of %v:\n\t%+v\nwant\n\t%+v", k.flags, k.file, got, want)
		}
	}
}
