package optim

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

func TestPlateau(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		scores   []float64
		patience int
		want     string // F where it fell
	}{
		{[]float64{5, 4, 3, 2}, 1, "----"},
		{[]float64{5, 5, 4, 4.5, 4.4, 3}, 1, "-F-FF-"},
		{[]float64{5, 6, 7, 8, 9, 4, 5, 5, 5}, 2, "--F-F--F-"},
		{[]float64{5, 6, 4, 6, 6, 6}, 3, "-----F"},
		{[]float64{nan, inf, 5, nan, 5, 4}, 2, "-F--F-"},
		{[]float64{-1, -2, -1}, 1, "--F"},
		{[]float64{0, 0, 1}, 2, "--F"},
	} {
		for cut := range len(c.scores) + 1 { // a checkpoint at each place
			var p Plateau
			got, falls := "", 0
			for i, score := range c.scores {
				if i == cut {
					b, err := json.Marshal(p)
					if err != nil {
						t.Fatal(err)
					}
					p = Plateau{Bests: -1, Best: -1, Since: -1, Falls: -1}
					if err := json.Unmarshal(b, &p); err != nil {
						t.Fatal(err)
					}
				}
				if p.Score(score, c.patience) {
					got += "F"
					falls++
				} else {
					got += "-"
				}
				if p.Falls != falls {
					t.Errorf("%v: %d falls, want %d", c.scores[:i+1], p.Falls, falls)
				}
			}
			if got != c.want {
				t.Errorf("%v, patience %d, cut at %d: %s, want %s", c.scores, c.patience, cut, got, c.want)
			}
		}
	}
}

func TestPlateauSchedule(t *testing.T) {
	s := Schedule{Kind: "plateau", Rate: 8, Warmup: 4, Patience: 1, Factor: 0.5, Final: 1.5}
	got := ""
	for _, at := range [][2]int{{0, 0}, {3, 0}, {4, 0}, {1000, 0}, {1000, 1}, {1000, 2}, {1000, 3}, {1000, 5000}, {1, 1}} {
		got += fmt.Sprint(s.At(at[0], at[1]), " ")
	}
	if want := "2 8 8 8 4 2 1.5 1.5 2 "; got != want {
		t.Errorf("rates %s, want %s", got, want)
	}
}
