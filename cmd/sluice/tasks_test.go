package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// Arguments may stand between flags; what is in order already stays as it is.
func TestGathered(t *testing.T) {
	var c cli
	parser, err := (&env{}).parser(&c)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []struct{ args, want string }{
		{"train a b --quiet", "train a b --quiet"},
		{"train --quiet a b", "train --quiet a b"},
		{"train tag --hidden 8 --quiet a --out=x - b", "train --hidden 8 --quiet --out=x -- tag a - b"},
		{"train tag --no-crf a", "train --no-crf -- tag a"},
		{"predict m --json -o p.png f", "predict --json -o p.png -- m f"},
		{"predict m --json -- -f", "predict --json -- m -f"},
		{"data get --x a", "data get --x a"},
		{"bench m --threads", "bench m --threads"},
	} {
		if got := gathered(strings.Fields(k.args), parser.Model.Node); !slices.Equal(got, strings.Fields(k.want)) {
			t.Errorf("%s becomes %q, want %s", k.args, got, k.want)
		}
	}
}

func TestFolded(t *testing.T) {
	part := strings.Repeat("ä", 30)
	for _, k := range []struct{ text, want string }{
		{"", ""},
		{part + ", b", part + ", b"},
		{strings.Repeat(part+", ", 2) + part, part + ", " + part + ", " + part},
		{strings.Repeat(part+", ", 3) + part, part + ", " + part + ", " + part + ",\n    " + part},
		{strings.Repeat("x", 200) + ", y", strings.Repeat("x", 200) + ",\n    y"},
	} {
		if got := folded(k.text, 4); got != k.want {
			t.Errorf("%q becomes %q, want %q", k.text, got, k.want)
		}
	}
}

// A tagger answers each line of standard input as it comes, and a signal ends it
// while it waits for the next.
func TestPredictAnswersAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	tags := `{"words":["a","b"],"tags":["X","Y"]}` + "\n" + `{"words":["b","a"],"tags":["Y","X"]}` + "\n"
	if err := os.WriteFile("tags.jsonl", []byte(tags), 0o666); err != nil {
		t.Fatal(err)
	}
	if status := run(t.Context(), []string{"train", "tag", "tags.jsonl", "--hidden", "4", "--epochs", "1", "--quiet", "--out", "m"}, nil, io.Discard, t.Output()); status != 0 {
		t.Fatalf("status %d", status)
	}
	defer goleak.VerifyNone(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	in, question := io.Pipe()
	defer question.Close()
	answered := make(chan string)
	out := &watch{seen: func(text string) { answered <- text }}
	var errs bytes.Buffer
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"predict", "m"}, in, out, &errs) }()
	for _, line := range []string{"a b", "b"} {
		if _, err := io.WriteString(question, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; strings.Count(got, "\n") != len(strings.Fields(line))+1 {
			t.Errorf("%q is answered by %q", line, got)
		}
	}
	cancel()
	if status := <-ended; status != exitInterrupted || errs.String() != "sluice: interrupted\n" {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}

	// So it does while it reads a file.
	if err := os.WriteFile("many.txt", []byte(strings.Repeat("a b\n", 3*atOnce)), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	errs.Reset()
	out = &watch{seen: func(string) { cancel() }}
	if status := run(ctx, []string{"predict", "m", "many.txt"}, nil, out, &errs); status != exitInterrupted || errs.String() != "sluice: interrupted\n" {
		t.Errorf("status %d, standard error %q", status, errs.String())
	}
}
