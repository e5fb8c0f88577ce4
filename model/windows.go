package model

import (
	"fmt"

	"sluice/nn"
)

// Windows are stretches of series, scaled, each with what follows it.
type Windows struct {
	of     ForecastOf
	c      int
	values []float32 // (N, C)
	first  int       // where the first window begins
	n      int
	batch  Batch
}

// NewWindows are all windows of values (N, C), as they were measured, of which the
// steps to forecast are steps [from, to). What a window reads may lie before
// these.
func NewWindows(s Spec, n Names, values []float64, from, to int) (*Windows, error) {
	if err := s.only(Forecast, "forecast"); err != nil {
		return nil, err
	}
	f, c := s.Forecast, len(n.Series.Names)
	x := &Windows{of: f, c: c, first: max(0, from-f.Window)}
	if x.n = to - f.Horizon - f.Window - x.first + 1; x.n < 1 {
		return nil, fmt.Errorf("model: %d steps to forecast, after %d: want %d at least, of a window of %d and a horizon of %d", to-from, from, max(0, f.Window-from)+f.Horizon, f.Window, f.Horizon)
	}
	x.values = make([]float32, to*c)
	n.Series.Scaler.Scale(x.values, values[:to*c])
	return x, nil
}

func (x *Windows) Len() int { return x.n }

// Steps is that of a batch: the same for all.
func (x *Windows) Steps(int) int { return x.of.steps() }

func (f ForecastOf) steps() int {
	if f.Segment > 0 {
		return f.Window / f.Segment
	}
	return f.Window + f.Horizon - 1
}

// at is value k of step i of a window.
func (x *Windows) at(window, i, k int) float32 { return x.values[(x.first+window+i)*x.c+k] }

// Batch is one whose rows are the windows, or of a direct forecast each series of
// each window.
func (x *Windows) Batch(windows []int) Batch {
	b, f := &x.batch, x.of
	b.T, b.B = f.steps(), len(windows)
	if f.Segment > 0 {
		b.B *= x.c
		b.Series = nn.Grow(b.Series, b.B)
	}
	b.Data, b.Values = nn.Grow(b.Data, b.T*len(windows)*x.c*max(1, f.Segment)), nn.Grow(b.Values, len(windows)*x.c*f.Horizon)
	for i, w := range windows {
		if f.Segment > 0 {
			for k := range x.c {
				x.direct(i*x.c+k, w, k)
			}
			continue
		}
		for k := range x.c {
			last := x.at(w, f.Window-1, k)
			for t := range b.T {
				b.Data[(t*b.B+i)*x.c+k] = x.at(w, t, k) - last
			}
			for h := range f.Horizon {
				b.Values[(i*f.Horizon+h)*x.c+k] = x.at(w, f.Window+h, k) - x.at(w, f.Window+h-1, k)
			}
		}
	}
	return *b
}

// direct sets a row to series k of a window.
func (x *Windows) direct(row, window, k int) {
	b, f := &x.batch, x.of
	b.Series[row] = int32(k)
	last := x.at(window, f.Window-1, k)
	for i := range f.Window {
		b.Data[(i/f.Segment*b.B+row)*f.Segment+i%f.Segment] = x.at(window, i, k) - last
	}
	for h := range f.Horizon {
		b.Values[row*f.Horizon+h] = x.at(window, f.Window+h, k) - last
	}
}
