package data

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
)

// manySeasons are the values of seeds 0 to 19.
var manySeasons = sync.OnceValue(func() (all [20][]float64) {
	for seed := range all {
		all[seed] = Seasons{Seed: uint64(seed)}.Values()
	}
	return all
})

// The best forecast knows the means and the past. Its error is what SeasonsMSE
// says, one hour ahead and many.
func TestSeasonsMSE(t *testing.T) {
	phi := [3]float64{62.0 / 64, 52.0 / 64, 36.0 / 64}
	beta := [3]float64{1, -6, 2}
	for _, h := range []int{1, 2, 24} {
		var mse [3]float64
		for seed, values := range manySeasons() {
			phases := draw(uint64(seed), 0, seasonsStream).phases()
			rest := make([]float64, len(values)) // w, u and v
			for i, v := range values {
				rest[i] = v - float64(seasons(int64(i/3), phases)[i%3])/1e6
				if c := i % 3; c > 0 {
					rest[i] -= beta[c] * rest[i-c]
				}
			}
			for i := 3 * h; i < len(rest); i++ {
				c := i % 3
				at := i - 3*h - c // w then
				w, own := rest[at]*math.Pow(phi[0], float64(h)), rest[at+c]*math.Pow(phi[c], float64(h))
				e := rest[i] - own
				if c > 0 {
					e += beta[c] * (rest[i-c] - w)
				}
				mse[c] += e * e / (20 * (SeasonsHours - float64(h)))
			}
		}
		want := SeasonsMSE(h)
		t.Logf("%d hours ahead: %.4f, want %.4f", h, mse, want)
		for c := range 3 {
			if math.Abs(mse[c]/want[c]-1) > 0.01*math.Sqrt(float64(h)) {
				t.Errorf("%d hours ahead, series %d: %.4f, want %.4f", h, c, mse[c], want[c])
			}
		}
	}
	if got, want := SeasonsMSE(1), [3]float64{0.25, 34, 17}; got != want {
		t.Errorf("an hour ahead: %v, want %v", got, want)
	}
}

// The figures are those of the comment on Seasons.
func TestSeasonsBaselines(t *testing.T) {
	for _, c := range []struct {
		back int // hours; 0: the mean
		want [3]float64
	}{
		{168, [3]float64{8.8, 520, 100}},
		{24, [3]float64{4.3, 2060, 670}},
		{1, [3]float64{0.86, 760, 800}},
		{0, [3]float64{57, 8590, 3320}},
	} {
		var mse [3]float64
		for _, values := range manySeasons() {
			var mean [3]float64
			for i, v := range values {
				mean[i%3] += v / SeasonsHours
			}
			for i := 3 * c.back; i < len(values); i++ {
				d := values[i] - mean[i%3]
				if c.back > 0 {
					d = values[i] - values[i-3*c.back]
				}
				mse[i%3] += d * d / float64(20*(SeasonsHours-c.back))
			}
		}
		t.Logf("%d hours back: %.2f", c.back, mse)
		for i := range 3 {
			if math.Abs(mse[i]/c.want[i]-1) > 0.03 {
				t.Errorf("%d hours back, series %d: %.2f, want %v", c.back, i, mse[i], c.want[i])
			}
		}
	}
}

func TestSeasonsValues(t *testing.T) {
	values := Seasons{Seed: 1}.Values()
	if len(values) != SeasonsHours*3 || !slices.Equal(values, Seasons{Seed: 1}.Values()) {
		t.Errorf("%d values, or others the second time", len(values))
	}
	if slices.Equal(values, Seasons{Seed: 2}.Values()) {
		t.Error("the seed changes nothing")
	}
	for i, v := range values {
		if math.Round(v*1000)/1000 != v || i%3 > 0 && v <= 0 || math.Abs(v) > 1000 {
			t.Fatalf("value %d is %v", i, v)
		}
	}
	if day := (Seasons{}).Start().Weekday().String(); day != "Monday" {
		t.Errorf("the first day is a %s", day)
	}
}

// The wave is one: it has its period, and goes up, down and up again smoothly.
func TestWave(t *testing.T) {
	for i, want := range []int64{0, 555, 888, 1000, 888, 555, 0, -555, -888, -1000, -888, -555, 0, 555} {
		if got := wave(int64(i), 12); got != want {
			t.Errorf("wave(%d) is %d, want %d", i, got, want)
		}
		if wave(int64(i)-24, 12) != want {
			t.Errorf("wave(%d) is %d, want %d", i-24, wave(int64(i)-24, 12), want)
		}
	}
	for _, c := range [][3]int64{{7, 2, 4}, {5, 2, 3}, {-7, 2, -4}, {-5, 4, -1}, {0, 9, 0}} {
		if got := divide(c[0], c[1]); got != c[2] {
			t.Errorf("%d/%d is %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

// Values are pinned, to the last digit: every machine makes the same, and they
// must never change, or figures would.
func TestSeasonsWriteCSV(t *testing.T) {
	var b strings.Builder
	if err := (Seasons{Seed: 1}).WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(b.String(), "\n")
	if len(lines) != SeasonsHours+2 || lines[SeasonsHours+1] != "" {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range map[int]string{
		0:            "time,temperature,load,water\n",
		1:            "2024-01-01 00:00:00,1.626,500.094,205.339\n",
		2:            "2024-01-01 01:00:00,1.446,490.096,194.148\n",
		5000:         "2024-07-27 07:00:00,17.969,343.394,300.673\n",
		SeasonsHours: "2025-02-03 23:00:00,0.107,559.222,233.842\n",
	} {
		if lines[i] != want {
			t.Errorf("line %d: %q, want %q", i, lines[i], want)
		}
	}
	if err := (Seasons{}).WriteCSV(&full{3}); !errors.Is(err, errFull) {
		t.Errorf("a writer that is full: %v", err)
	}
}
