package main

import (
	"bytes"
	"context"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sluice/look"
)

// A look inside that is stopped says so and leaves no file.
func TestLookStopped(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Chdir(t.TempDir())
	if status := run(t.Context(), tiny("--quiet", "--out", "m"), nil, io.Discard, os.Stderr); status != 0 {
		t.Fatalf("status %d", status)
	}
	for _, args := range [][]string{{"m", "--gates", "分"}, {"m", "--timescales"}, {"--gradients"}, {"m", "--gradients"}} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var errs bytes.Buffer
		status := run(ctx, append([]string{"inspect"}, args...), nil, io.Discard, &errs)
		if status != exitInterrupted || errs.String() != "sluice: interrupted\n" {
			t.Errorf("%v: status %d, standard error %q", args, status, errs.String())
		}
	}
	if left, _ := os.ReadDir("."); len(left) != 1 {
		t.Errorf("left %v", left)
	}
}

// Nothing is shown of what takes but a moment; else a line now and then, or one
// that is written over again and again.
func TestWaiting(t *testing.T) {
	for _, test := range []struct {
		width func() int
		steps int // tenths of a second
		want  int // lines
	}{{nil, 9, 0}, {nil, 250, 2}, {func() int { return 40 }, 9, 0}, {func() int { return 40 }, 30, 21}} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		w := &waiting{status: status{&b, test.width}, what: "reading", began: now, shown: now, now: func() time.Time { return now }}
		for i := range test.steps {
			now = now.Add(100 * time.Millisecond)
			w.progress(i, test.steps)
		}
		if got := strings.Count(b.String(), "reading: "); got != test.want {
			t.Errorf("%d steps: %d lines, want %d", test.steps, got, test.want)
		}
	}
}

// The answer is the textbook's, its contrary, or none, by rank correlations
// against what chance gives, here 2/√(101−1) = 0.2.
func TestAnswer(t *testing.T) {
	memory := func(names string, ranks ...float64) look.Memory {
		m := look.Memory{Lags: make([]float64, 101)}
		for i, r := range ranks {
			m.Gates = append(m.Gates, look.Gate{Name: names[i : i+1], Rank: r})
		}
		return m
	}
	for _, test := range []struct {
		cell   string
		layers []look.Memory
		want   string
	}{
		{"gru", []look.Memory{memory("rz", 0.3, 0.3)}, "long memory goes with a high update gate (as the textbook says); short memory goes with a low reset gate, which drops the state (as the textbook says)"},
		{"gru", []look.Memory{memory("rz", 0.19, -0.3)}, "long memory goes with a low update gate (against the textbook); the reset gate r shows no relation to memory beyond chance"},
		{"gru", []look.Memory{memory("rz", -0.3, math.NaN())}, "the update gate z shows no relation to memory beyond chance; short memory goes with a high reset gate (against the textbook)"},
		{"lstm", []look.Memory{memory("if", -0.3, 0.3), memory("if", 0.3, -0.3)}, "layer 1: long memory goes with a high forget gate (as the textbook says); long memory goes with a low input gate, which lets little in (as the textbook says)\n" +
			"layer 2: long memory goes with a low forget gate (against the textbook); long memory goes with a high input gate (against the textbook)"},
	} {
		if got := answer(test.cell, test.layers); got != test.want {
			t.Errorf("%s: %q, want %q", test.cell, got, test.want)
		}
	}
}
