package optim

import (
	"cmp"
	"fmt"
	"math"
)

// Schedule says the learning rate at each update. The zero Kind is "constant".
type Schedule struct {
	Kind     string  `json:"kind,omitempty"`     // "constant", "step", "cosine", "plateau"
	Rate     float64 `json:"rate"`               // the learning rate at the start, after any warm-up
	Warmup   int     `json:"warmup,omitempty"`   // updates over which the rate rises linearly to Rate
	Every    int     `json:"every,omitempty"`    // step: after each so many updates …
	Patience int     `json:"patience,omitempty"` // plateau: after so many scores in a row without improvement …
	Factor   float64 `json:"factor,omitempty"`   // … the rate is multiplied by this, in (0, 1]
	Total    int     `json:"total,omitempty"`    // cosine: updates, warm-up and all, until Final is reached
	Final    float64 `json:"final,omitempty"`    // cosine: the rate at the end; plateau: the lowest
}

// Validate says which field cannot be, and what is allowed.
func (s Schedule) Validate() error {
	switch {
	case !(s.Rate > 0) || math.IsInf(s.Rate, 0):
		return fmt.Errorf("optim: learning rate %v: want a finite number above 0", s.Rate)
	case s.Warmup < 0:
		return fmt.Errorf("optim: warm-up of %d updates: want 0 or more", s.Warmup)
	}
	switch s.Kind {
	case "", "constant":
	case "step":
		if s.Every < 1 {
			return fmt.Errorf("optim: step schedule every %d updates: want 1 or more", s.Every)
		}
		return s.validateFall()
	case "plateau":
		if s.Patience < 1 {
			return fmt.Errorf("optim: plateau schedule with a patience of %d scores: want 1 or more", s.Patience)
		}
		return cmp.Or(s.validateFall(), s.validateFinal())
	case "cosine":
		if s.Total < 1 {
			return fmt.Errorf("optim: cosine schedule over %d updates: want 1 or more", s.Total)
		}
		if s.Total <= s.Warmup {
			return fmt.Errorf("optim: cosine schedule over %d updates: want more than its warm-up of %d", s.Total, s.Warmup)
		}
		return s.validateFinal()
	default:
		return fmt.Errorf("optim: schedule %q: want constant, step, cosine or plateau", s.Kind)
	}
	return nil
}

func (s Schedule) validateFall() error {
	if !(s.Factor > 0 && s.Factor <= 1) {
		return fmt.Errorf("optim: %s schedule factor %v: want a number in (0, 1]", s.Kind, s.Factor)
	}
	return nil
}

func (s Schedule) validateFinal() error {
	if !(s.Final >= 0 && s.Final <= s.Rate) {
		return fmt.Errorf("optim: %s schedule's final rate %v: want a number in [0, %v]", s.Kind, s.Final, s.Rate)
	}
	return nil
}

// At is the learning rate of an update, counted from 0, when the score has
// stopped improving so many times before it: see Plateau. Only "plateau" looks
// at falls; all else of the rate follows from the update. The cosine is that of
// Loshchilov and Hutter 2017 without restarts.
func (s Schedule) At(update, falls int) float64 {
	if s.Kind == "plateau" {
		s.Rate = max(s.Final, s.Rate*math.Pow(s.Factor, float64(falls)))
	}
	if update < s.Warmup {
		return s.Rate * (float64(update+1) / float64(s.Warmup))
	}
	done := update - s.Warmup
	switch s.Kind {
	case "step":
		return s.Rate * math.Pow(s.Factor, float64(done/s.Every))
	case "cosine":
		if left := s.Total - s.Warmup; done < left {
			return s.Final + (s.Rate-s.Final)*(1+math.Cos(math.Pi*float64(done)/float64(left)))/2
		}
		return s.Final
	}
	return s.Rate
}
