package optim

import (
	"fmt"
	"math"
)

// RateTest is the learning-rate range test of Smith 2017: the rate rises
// exponentially from From to To over Updates updates, and the loss says which
// rates train. It holds no state: whoever trains keeps the losses so far, one
// for each update, and gives them to its methods. The zero value is not valid.
type RateTest struct {
	From    float64 `json:"from"`    // the rate of the first update
	To      float64 `json:"to"`      // of the last
	Updates int     `json:"updates"` // n, 20 to 10,000
}

const (
	leastTest = 20
	mostTest  = 10_000 // Done smooths all losses so far
	lookBack  = 20     // smoothing reaches over 1/20 of the updates, so that it delays by as much of the range, whatever n is
	exploded  = 4      // times the best smooth loss
)

// Validate says which field cannot be, and what is allowed.
func (t RateTest) Validate() error {
	switch {
	case !(t.From > 0) || math.IsInf(t.From, 0):
		return fmt.Errorf("optim: rate test from rate %v: want a finite number above 0", t.From)
	case !(t.To > t.From) || math.IsInf(t.To, 0):
		return fmt.Errorf("optim: rate test from rate %v to %v: want a finite number above the first", t.From, t.To)
	case t.Updates < leastTest || t.Updates > mostTest:
		return fmt.Errorf("optim: rate test of %d updates: want %d to %d", t.Updates, leastTest, mostTest)
	}
	return nil
}

// At is the learning rate of an update in [0, Updates).
func (t RateTest) At(update int) float64 {
	if update == t.Updates-1 {
		return t.To // not a bit beside it
	}
	return t.From * math.Pow(t.To/t.From, float64(update)/float64(t.Updates-1))
}

// Smooth is the losses (n), each averaged with those before it: weights fall
// exponentially by 1 − 20/Updates, with the correction for their start that
// Adam has. So the first smooth loss is the first loss.
func (t RateTest) Smooth(losses []float64) []float64 {
	keep := 1 - lookBack/float64(t.Updates)
	smooth, sum, weight := make([]float64, len(losses)), 0.0, 0.0
	for i, loss := range losses {
		sum = keep*sum + (1-keep)*loss
		weight = keep*weight + (1 - keep)
		smooth[i] = sum / weight
	}
	return smooth
}

// Done reports whether the test ends after these losses: all updates are made,
// the last loss is not finite, or the last smooth loss is above four times the
// best.
func (t RateTest) Done(losses []float64) bool {
	n := len(losses)
	if n == 0 || n >= t.Updates {
		return n > 0
	}
	if loss := losses[n-1]; loss-loss != 0 {
		return true
	}
	smooth := t.Smooth(losses)
	return smooth[n-1] > exploded*smooth[lowest(smooth)]
}

// Rates are what a RateTest suggests.
type Rates struct {
	Steepest  float64 `json:"steepest"`   // where the smooth loss falls fastest: a rate that trains well from the start
	BestTenth float64 `json:"best_tenth"` // a tenth of the rate of the lowest smooth loss, where it is about to rise: a bold rate with a margin
}

// Suggest reads the losses of a test that is done. Steepest is the middle of
// the tenth of the range over which the smooth loss falls most, before it is at
// its lowest. The delay of the smoothing, a twentieth of the range, is not taken
// off. It is an error if there is no such fall.
func (t RateTest) Suggest(losses []float64) (Rates, error) {
	for n := len(losses); n > 0 && losses[n-1]-losses[n-1] != 0; n-- {
		losses = losses[:n-1]
	}
	smooth := t.Smooth(losses)
	if len(smooth) == 0 {
		return Rates{}, fmt.Errorf("optim: rate test: no finite loss from rate %v on: want a lower start", t.From)
	}
	best, span := lowest(smooth), t.Updates/10
	at, most := -1, 0.0
	for i := 0; i+span <= best; i++ {
		if fall := smooth[i] - smooth[i+span]; fall > most {
			at, most = i+span/2, fall
		}
	}
	if at < 0 {
		return Rates{}, fmt.Errorf("optim: rate test: the loss is lowest at rate %.3g, update %d of %d, and does not fall before: want a lower start", t.At(best), best+1, t.Updates)
	}
	return Rates{Steepest: t.At(at), BestTenth: t.At(best) / 10}, nil
}

// lowest is the place of the first lowest of losses, which are not none.
func lowest(losses []float64) int {
	best := 0
	for i, loss := range losses {
		if loss < losses[best] {
			best = i
		}
	}
	return best
}
