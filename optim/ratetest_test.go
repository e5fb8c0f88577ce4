package optim

import (
	"math"
	"math/rand/v2"
	"testing"
)

var sweep = RateTest{From: 1e-6, To: 10, Updates: 200}

func TestRateTestAt(t *testing.T) {
	s := RateTest{From: 1e-5, To: 10, Updates: 31}
	for i := range 7 {
		if want := math.Pow(10, float64(i-5)); math.Abs(s.At(5*i)/want-1) > 1e-14 {
			t.Errorf("rate %v at update %d, want %v", s.At(5*i), 5*i, want)
		}
	}
	for _, s := range []RateTest{s, sweep, {From: 1.0 / 3, To: 2.0 / 3, Updates: 97}} {
		if s.At(0) != s.From || s.At(s.Updates-1) != s.To {
			t.Errorf("%+v: from %v to %v", s, s.At(0), s.At(s.Updates-1))
		}
		for u := 1; u < s.Updates; u++ {
			if s.At(u) <= s.At(u-1) {
				t.Errorf("%+v: rate %v after %v", s, s.At(u), s.At(u-1))
			}
		}
	}
}

func TestSmooth(t *testing.T) {
	s := RateTest{From: 1, To: 2, Updates: 40} // weights 1, 1/2, 1/4 …
	got := s.Smooth([]float64{4, 1, 9})
	for i, want := range []float64{4, (4*0.5 + 1) / 1.5, (4*0.25 + 1*0.5 + 9) / 1.75} {
		if math.Abs(got[i]-want) > 1e-14 {
			t.Errorf("smooth loss %d is %v, want %v", i, got[i], want)
		}
	}
	for i, v := range sweep.Smooth([]float64{3, 3, 3, 3, 3, 3}) { // the start is corrected for
		if math.Abs(v-3) > 1e-14 {
			t.Errorf("smooth loss %d of equal ones is %v", i, v)
		}
	}
	if got := (RateTest{From: 1, To: 2, Updates: 20}).Smooth([]float64{3, 7}); got[0] != 3 || got[1] != 7 {
		t.Errorf("20 updates: %v, want the losses", got)
	}
}

func TestRateTestDone(t *testing.T) {
	s := RateTest{From: 1, To: 2, Updates: 20} // nothing is smoothed
	for _, c := range []struct {
		losses []float64
		want   bool
	}{
		{nil, false},
		{[]float64{5}, false},
		{[]float64{5, 1, 4}, false},
		{[]float64{5, 1, 4.01}, true},
		{[]float64{5, math.NaN()}, true},
		{[]float64{math.Inf(1)}, true},
		{make([]float64, 19), false},
		{make([]float64, 20), true},
	} {
		if got := s.Done(c.losses); got != c.want {
			t.Errorf("%v: done %v, want %v", c.losses, got, c.want)
		}
	}
	if sweep.Done([]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 9}) { // one bad minibatch
		t.Error("one high loss ends the test")
	}
}

// run is a test on a loss that falls around the rate fast, in the logarithm,
// and explodes above the rate high; the noise is that of minibatches.
func run(fast, high, noise float64) (losses []float64) {
	r := rand.New(rand.NewPCG(1, 2))
	for !sweep.Done(losses) {
		lr := sweep.At(len(losses))
		fall := 1 / (1 + math.Pow(fast/lr, 1.5))
		losses = append(losses, 5-3*fall+math.Pow(lr/high, 3)+noise*r.NormFloat64())
	}
	return losses
}

func TestSuggest(t *testing.T) {
	decades := math.Log10(sweep.To / sweep.From)
	for _, noise := range []float64{0, 0.02, 0.1} {
		losses := run(1e-3, 0.3, noise)
		if len(losses) >= sweep.Updates || len(losses) < sweep.Updates/2 {
			t.Fatalf("noise %v: ends after %d updates", noise, len(losses))
		}
		got, err := sweep.Suggest(losses)
		if err != nil {
			t.Fatal(err)
		}
		best := 0.0 // of the loss without noise or smoothing
		for u, low := 0, math.Inf(1); u < sweep.Updates; u++ {
			lr := sweep.At(u)
			if l := 5 - 3/(1+math.Pow(1e-3/lr, 1.5)) + math.Pow(lr/0.3, 3); l < low {
				best, low = lr, l
			}
		}
		// The smoothing delays by a twentieth of the range, noise may move it as much.
		steepest, tenth := math.Log10(got.Steepest/1e-3)/decades, math.Log10(got.BestTenth*10/best)/decades
		t.Logf("noise %v: steepest at %.2g, off by %.3f of the range; best at %.2g, off by %.3f", noise, got.Steepest, steepest, got.BestTenth*10, tenth)
		if steepest < 0 || steepest > 0.1 || tenth < -0.1 || tenth > 0.1 {
			t.Errorf("noise %v: suggests %+v, want near 0.001 and %v", noise, got, best/10)
		}
		// What is not finite at the end does not count.
		again, err := sweep.Suggest(append(losses, math.Inf(1), math.NaN()))
		if err != nil || again != got {
			t.Errorf("with NaN at the end %+v, %v, want %+v", again, err, got)
		}
	}
}

// What falls back from a rise above the best is no rate to train at.
func TestSuggestLooksBeforeTheBest(t *testing.T) {
	losses := run(1e-3, 0.3, 0)
	losses = losses[:lowest(losses)+1]
	want, err := sweep.Suggest(losses)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		losses = append(losses, 2.5*losses[0])
	}
	for range 30 {
		losses = append(losses, losses[0])
	}
	if got, err := sweep.Suggest(losses); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestSuggestRefuses(t *testing.T) {
	rising := make([]float64, 50)
	for i := range rising {
		rising[i] = float64(i + 1)
	}
	for _, c := range []struct {
		losses []float64
		want   string
	}{
		{nil, "optim: rate test: no finite loss from rate 1e-06 on: want a lower start"},
		{[]float64{math.NaN()}, "optim: rate test: no finite loss from rate 1e-06 on: want a lower start"},
		{rising, "optim: rate test: the loss is lowest at rate 1e-06, update 1 of 200, and does not fall before: want a lower start"},
	} {
		if _, err := sweep.Suggest(c.losses); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	for _, c := range []struct {
		s    RateTest
		want string
	}{
		{RateTest{}, "optim: rate test from rate 0: want a finite number above 0"},
		{RateTest{From: 1, To: 1, Updates: 99}, "optim: rate test from rate 1 to 1: want a finite number above the first"},
		{RateTest{From: 1, To: math.Inf(1), Updates: 99}, "optim: rate test from rate 1 to +Inf: want a finite number above the first"},
		{RateTest{From: 1, To: 2, Updates: 19}, "optim: rate test of 19 updates: want 20 to 10000"},
		{RateTest{From: 1, To: 2, Updates: 10_001}, "optim: rate test of 10001 updates: want 20 to 10000"},
	} {
		if err := c.s.Validate(); err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v, want %s", c.s, err, c.want)
		}
	}
	if err := sweep.Validate(); err != nil {
		t.Error(err)
	}
}
