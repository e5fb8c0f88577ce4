package train

import (
	"context"
	"errors"
	"slices"
	"testing"

	"sluice/optim"
)

// The range test goes on through epochs, says a rate that trains, and does not
// depend on threads.
func TestFindRate(t *testing.T) {
	c := small()
	c.Model.OutputDropout = 0.1
	text := prepare(t, c, song)
	test := optim.RateTest{From: 1e-5, To: 10, Updates: 60}
	told := 0
	f, err := FindRate(t.Context(), c, text, test, Options{Threads: 2, Observe: func(Event) { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(f.Rates); n < 40 || n != len(f.Losses) || n != len(f.Smooth) || n != told || f.Rates[0] != 1e-5 {
		t.Errorf("%d rates, %d losses, %d smooth, %d told", n, len(f.Losses), len(f.Smooth), told)
	}
	if r := f.Suggested; !(r.Steepest > 1e-3 && r.Steepest < 1) {
		t.Errorf("suggested %+v", r)
	}
	again, err := FindRate(t.Context(), c, text, test, Options{Threads: 3})
	if err != nil || !slices.Equal(again.Losses, f.Losses) {
		t.Errorf("other losses on three threads, error %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := FindRate(ctx, c, text, test, Options{Observe: func(Event) { cancel() }}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := FindRate(t.Context(), c, text, optim.RateTest{}, Options{}); err == nil {
		t.Error("a test of no updates")
	}
}
