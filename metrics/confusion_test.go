package metrics

import (
	"math"
	"slices"
	"testing"
)

// The cases, in two lines as in the command of TestConfusion: class 2 is never
// predicted right, 3 is never true, 5 never occurs.
var (
	truth     = []int{0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 4, 4}
	predicted = []int{0, 0, 0, 1, 3, 1, 1, 0, 0, 0, 4, 3}
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-15 }

// The numbers are those of scikit-learn 1.9.1: accuracy_score(w, g),
// f1_score(w, g, average="macro"), precision_recall_fscore_support(w, g,
// labels=range(6)), and the first two with g=[0]*12.
func TestConfusion(t *testing.T) {
	c := NewConfusion([]string{"a", "b", "c", "d", "e", "f"})
	for i, want := range truth {
		c.Add(want, predicted[i])
	}
	if a, f := c.Accuracy(), c.MacroF1(); c.Total() != 12 || !near(a, 0.5) || !near(f, 0.3757575757575757) {
		t.Errorf("of %d: accuracy %v, macro F1 %v", c.Total(), a, f)
	}
	if a, f := c.Majority(); !near(a, 0.4166666666666667) || !near(f, 0.14705882352941177) {
		t.Errorf("majority: accuracy %v, macro F1 %v", a, f)
	}
	for k, want := range [][3]float64{{0.5, 0.6, 6.0 / 11}, {2.0 / 3, 2.0 / 3, 2.0 / 3}, {}, {}, {1, 0.5, 2.0 / 3}, {}} {
		if got := [3]float64{c.Precision(k), c.Recall(k), c.F1(k)}; !near(got[0], want[0]) || !near(got[1], want[1]) || !near(got[2], want[2]) {
			t.Errorf("class %d: %v, want %v", k, got, want)
		}
	}
	all := []Mistake{{2, 0, 2}, {0, 1, 1}, {0, 3, 1}, {1, 0, 1}, {4, 3, 1}}
	for n, want := range map[int][]Mistake{-1: {}, 0: {}, 1: all[:1], 3: all[:3], 5: all, 99: all} {
		if got := c.Worst(n); !slices.Equal(got, want) {
			t.Errorf("worst %d: %v, want %v", n, got, want)
		}
	}
}

func TestConfusionNothing(t *testing.T) {
	for _, labels := range [][]string{nil, {"a", "b"}} {
		c := NewConfusion(labels)
		accuracy, f1 := c.Majority()
		if got := []float64{c.Accuracy(), c.MacroF1(), accuracy, f1}; !slices.Equal(got, make([]float64, 4)) || len(c.Worst(3)) != 0 {
			t.Errorf("%v: %v, %v", labels, got, c.Worst(3))
		}
	}
	defer func() {
		if got := recover(); got != "metrics: Confusion: classes 0 and 2, want both in [0, 2)" {
			t.Errorf("panic %v", got)
		}
	}()
	NewConfusion([]string{"a", "b"}).Add(0, 2)
}
