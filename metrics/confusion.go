package metrics

import (
	"cmp"
	"fmt"
	"slices"
)

// Confusion is the confusion matrix of K classes: it has K² counts.
type Confusion struct {
	Labels []string // (K)
	Counts [][]int  // (K, K), the true class, then the predicted one
}

// NewConfusion has counted nothing. It keeps labels (K).
func NewConfusion(labels []string) *Confusion {
	c := &Confusion{Labels: labels, Counts: make([][]int, len(labels))}
	for i := range c.Counts {
		c.Counts[i] = make([]int, len(labels))
	}
	return c
}

// Add counts one case: its true class and the predicted one, both in [0, K).
func (c *Confusion) Add(want, got int) {
	if k := len(c.Labels); want < 0 || want >= k || got < 0 || got >= k {
		panic(fmt.Sprintf("metrics: Confusion: classes %d and %d, want both in [0, %d)", want, got, k))
	}
	c.Counts[want][got]++
}

// tally counts the cases of one class.
func (c *Confusion) tally(k int) Count {
	t := Count{Kind: c.Labels[k], Right: c.Counts[k][k]}
	for i, row := range c.Counts {
		t.Want += c.Counts[k][i]
		t.Got += row[k]
	}
	return t
}

// Precision of class k is the part of the cases predicted as k that are: 0 if
// none were.
func (c *Confusion) Precision(k int) float64 { return c.tally(k).Precision() }

// Recall of class k is the part of the cases of k that were predicted as k: 0 if
// there are none.
func (c *Confusion) Recall(k int) float64 { return c.tally(k).Recall() }

// F1 of class k is the harmonic mean of Precision and Recall: 0 if k was never
// predicted right.
func (c *Confusion) F1(k int) float64 { return c.tally(k).F1() }

// Total is the number of all cases.
func (c *Confusion) Total() (n int) {
	for _, row := range c.Counts {
		for _, count := range row {
			n += count
		}
	}
	return n
}

// Accuracy is the part of all cases whose class was predicted.
func (c *Confusion) Accuracy() float64 {
	right := 0
	for k := range c.Labels {
		right += c.Counts[k][k]
	}
	return ratio(right, c.Total())
}

// MacroF1 is the mean of F1 over the classes that are true or predicted at least
// once, as scikit-learn's f1_score with average="macro" has it. Opitz and Burst
// 2019, "Macro F1 and Macro F1", call it averaged F1, and tell it apart from the
// F1 of mean precision and mean recall.
func (c *Confusion) MacroF1() float64 {
	sum, n := 0.0, 0
	for k := range c.Labels {
		if t := c.tally(k); t.Want+t.Got > 0 {
			sum += t.F1()
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Majority is what always predicting the most frequent true class would score,
// on these cases: the least that a model must beat.
func (c *Confusion) Majority() (accuracy, macroF1 float64) {
	most, classes := 0, 0
	for k := range c.Labels {
		if t := c.tally(k); t.Want > 0 {
			most = max(most, t.Want)
			classes++
		}
	}
	if classes == 0 {
		return 0, 0
	}
	total := c.Total()
	return ratio(most, total), ratio(2*most, most+total) / float64(classes)
}

// Mistake is one class predicted for another.
type Mistake struct {
	Want, Got int // classes
	Count     int
}

// Worst is the n most frequent mistakes, or all if there are fewer: the largest
// first, those of one size by Want, then Got.
func (c *Confusion) Worst(n int) []Mistake {
	var all []Mistake
	for want, row := range c.Counts {
		for got, count := range row {
			if count > 0 && want != got {
				all = append(all, Mistake{want, got, count})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Mistake) int { return cmp.Compare(b.Count, a.Count) })
	return all[:min(max(n, 0), len(all))]
}
