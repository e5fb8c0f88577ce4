package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"

	"sluice/model"
)

type generateCmd struct {
	Model string `arg:"" optional:"" name:"MODEL" help:"A model file or a run's folder (the newest run's)."`

	Prime       string  `placeholder:"TEXT" help:"What the text begins with."`
	Length      int     `default:"200" placeholder:"N" help:"Symbols to write after it (200)."`
	Temperature float64 `default:"0.8" placeholder:"T" help:"Above 1 is wilder, below 1 tamer; 0: always the most probable symbol (0.8)."`
	TopK        int     `placeholder:"K" help:"Only the K most probable symbols; 0: all."`
	TopP        float64 `placeholder:"P" help:"Only the most probable symbols that together reach P; 0: all."`
	Seed        *uint64 `placeholder:"N" help:"The same seed writes the same text (a random one)."`
}

// Run writes text as it comes.
func (c *generateCmd) Run(e *env) error {
	if c.Length < 0 {
		return fmt.Errorf("--length %d: want 0 or more", c.Length)
	}
	s := model.Sampling{Temperature: c.Temperature, TopK: c.TopK, TopP: c.TopP}
	if c.Seed != nil {
		s.Seed = *c.Seed
	} else {
		s.Seed = uint64(rand.Uint32()) // short enough to type again
	}
	if err := s.Validate(); err != nil {
		return err
	}
	path, err := find(c.Model)
	if err != nil {
		return err
	}
	m, err := model.Open(path)
	if err == nil {
		err = readsText(m, path)
	}
	if err != nil {
		return err
	}
	if _, err := m.Vocab.Encode(c.Prime); err != nil {
		return fmt.Errorf("--prime %q: %s", c.Prime, oneLine(err.Error()))
	}
	g, err := model.NewGenerator(m.Pack(), s)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "model: %s, seed: %d\n", visible(path), s.Seed)
	return c.write(e, g)
}

func (c *generateCmd) write(e *env, g *model.Generator) error {
	out := &lastByte{w: e.stdout, last: '\n'}
	if _, err := io.WriteString(out, c.Prime); err != nil {
		return err
	}
	stopped := g.Write(e.ctx, out, c.Prime, c.Length)
	if out.last != '\n' || out.n == 0 {
		if _, err := io.WriteString(out, "\n"); err != nil {
			return err
		}
	}
	return stopped
}

// lastByte remembers what was written last.
type lastByte struct {
	w    io.Writer
	n    int
	last byte
}

func (l *lastByte) Write(b []byte) (int, error) {
	if b = bytes.Clone(b); len(b) > 0 {
		l.last = b[len(b)-1]
	}
	n, err := l.w.Write(b)
	l.n += n
	return n, err
}
