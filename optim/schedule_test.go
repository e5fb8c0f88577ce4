package optim

import (
	"encoding/json"
	"math"
	"testing"
)

func TestScheduleAt(t *testing.T) {
	constant := Schedule{Rate: 0.1}
	warm := Schedule{Kind: "constant", Rate: 0.1, Warmup: 3}
	step := Schedule{Kind: "step", Rate: 1, Every: 10, Factor: 0.5}
	warmStep := Schedule{Kind: "step", Rate: 1, Warmup: 4, Every: 10, Factor: 0.5}
	cosine := Schedule{Kind: "cosine", Rate: 1, Total: 100, Final: 0.2}
	warmCosine := Schedule{Kind: "cosine", Rate: 1, Warmup: 20, Total: 120, Final: 0.2}
	for _, c := range []struct {
		name   string
		s      Schedule
		update int
		want   float64
	}{
		{"constant", constant, 0, 0.1}, {"constant", constant, 1e9, 0.1},
		{"warm", warm, 0, 0.1 / 3}, {"warm", warm, 1, 0.2 / 3}, {"warm", warm, 3, 0.1}, {"warm", warm, 1000, 0.1},
		{"step", step, 0, 1}, {"step", step, 9, 1}, {"step", step, 10, 0.5}, {"step", step, 19, 0.5}, {"step", step, 20, 0.25},
		{"step", step, 1e6, 0},
		{"warm step", warmStep, 0, 0.25}, {"warm step", warmStep, 3, 1}, {"warm step", warmStep, 13, 1}, {"warm step", warmStep, 14, 0.5},
		{"cosine", cosine, 0, 1}, {"cosine", cosine, 25, 0.6 + 0.4*math.Sqrt2/2}, {"cosine", cosine, 50, 0.6},
		{"cosine", cosine, 75, 0.6 - 0.4*math.Sqrt2/2}, {"cosine", cosine, 99, 0.2 + 0.4*(1+math.Cos(0.99*math.Pi))},
		{"cosine", cosine, 100, 0.2}, {"cosine", cosine, 1e9, 0.2},
		{"warm cosine", warmCosine, 0, 0.05}, {"warm cosine", warmCosine, 19, 1}, {"warm cosine", warmCosine, 20, 1},
		{"warm cosine", warmCosine, 70, 0.6}, {"warm cosine", warmCosine, 119, 0.2 + 0.4*(1+math.Cos(0.99*math.Pi))},
		{"warm cosine", warmCosine, 120, 0.2},
	} {
		if err := c.s.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		// none of these looks at falls
		if got := c.s.At(c.update, 3); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%s: rate %v at %d, want %v", c.name, got, c.update, c.want)
		}
	}
}

// No rate is above Rate, not by a bit, and the warm-up ends on it.
func TestWarmupEndsAtTheRate(t *testing.T) {
	for warmup := 1; warmup < 200; warmup++ {
		s := Schedule{Rate: 0.1, Warmup: warmup}
		for u := range warmup - 1 {
			if s.At(u, 0) >= s.At(u+1, 0) {
				t.Fatalf("warm-up %d: rate %v at %d, then %v", warmup, s.At(u, 0), u, s.At(u+1, 0))
			}
		}
		if got := s.At(warmup-1, 0); got != 0.1 {
			t.Errorf("warm-up %d ends at %v, want 0.1", warmup, got)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		s    Schedule
		want string
	}{
		{Schedule{}, "optim: learning rate 0: want a finite number above 0"},
		{Schedule{Rate: -1}, "optim: learning rate -1: want a finite number above 0"},
		{Schedule{Rate: nan}, "optim: learning rate NaN: want a finite number above 0"},
		{Schedule{Rate: inf}, "optim: learning rate +Inf: want a finite number above 0"},
		{Schedule{Rate: 1, Warmup: -2}, "optim: warm-up of -2 updates: want 0 or more"},
		{Schedule{Rate: 1, Kind: "linear"}, `optim: schedule "linear": want constant, step, cosine or plateau`},
		{Schedule{Rate: 1, Kind: "step", Factor: 0.5}, "optim: step schedule every 0 updates: want 1 or more"},
		{Schedule{Rate: 1, Kind: "step", Every: 1}, "optim: step schedule factor 0: want a number in (0, 1]"},
		{Schedule{Rate: 1, Kind: "step", Every: 1, Factor: 1.5}, "optim: step schedule factor 1.5: want a number in (0, 1]"},
		{Schedule{Rate: 1, Kind: "step", Every: 1, Factor: nan}, "optim: step schedule factor NaN: want a number in (0, 1]"},
		{Schedule{Rate: 1, Kind: "plateau", Factor: 0.5}, "optim: plateau schedule with a patience of 0 scores: want 1 or more"},
		{Schedule{Rate: 1, Kind: "plateau", Patience: 1}, "optim: plateau schedule factor 0: want a number in (0, 1]"},
		{Schedule{Rate: 1, Kind: "plateau", Patience: 1, Factor: 0.5, Final: 2}, "optim: plateau schedule's final rate 2: want a number in [0, 1]"},
		{Schedule{Rate: 1, Kind: "cosine"}, "optim: cosine schedule over 0 updates: want 1 or more"},
		{Schedule{Rate: 1, Kind: "cosine", Total: 5, Warmup: 5}, "optim: cosine schedule over 5 updates: want more than its warm-up of 5"},
		{Schedule{Rate: 1, Kind: "cosine", Total: 5, Final: 2}, "optim: cosine schedule's final rate 2: want a number in [0, 1]"},
		{Schedule{Rate: 1, Kind: "cosine", Total: 5, Final: -1}, "optim: cosine schedule's final rate -1: want a number in [0, 1]"},
		{Schedule{Rate: 1, Kind: "cosine", Total: 5, Final: nan}, "optim: cosine schedule's final rate NaN: want a number in [0, 1]"},
	} {
		if err := c.s.Validate(); err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v, want %s", c.s, err, c.want)
		}
	}
	for _, s := range []Schedule{
		{Rate: 1}, {Rate: 1, Kind: "step", Every: 1, Factor: 1}, {Rate: 1, Kind: "plateau", Patience: 1, Factor: 1}, {Rate: 1, Kind: "cosine", Total: 1}, {Rate: 1, Kind: "cosine", Total: 2, Warmup: 1, Final: 1},
	} {
		if err := s.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// A checkpoint holds the schedule; what is unset is left out.
func TestScheduleJSON(t *testing.T) {
	b, err := json.Marshal(Schedule{Rate: 0.5})
	if err != nil || string(b) != `{"rate":0.5}` {
		t.Errorf("%s, %v", b, err)
	}
	want := Schedule{Kind: "cosine", Rate: 1, Warmup: 2, Total: 9, Final: 0.1}
	b, _ = json.Marshal(want)
	var got Schedule
	if err := json.Unmarshal(b, &got); err != nil || got != want {
		t.Errorf("%s became %+v, %v", b, got, err)
	}
}
