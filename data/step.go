package data

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is how far apart the rows of a series are: a duration, or months of the
// calendar, of which twelve are a year.
type Step struct {
	Duration time.Duration `json:"duration,omitempty"` // in nanoseconds
	Months   int           `json:"months,omitempty"`
	MonthEnd bool          `json:"month_end,omitempty"` // rows stand at the last day of a month
}

// After is the time n steps after t, of months on the same day, or the last of a
// month that is shorter.
func (p Step) After(t time.Time, n int) time.Time {
	if p.Months == 0 {
		whole, part := int64(n)*int64(p.Duration/time.Second), int64(n)*int64(p.Duration%time.Second) // n of the longest overflow a Duration
		return time.Unix(t.Unix()+whole, int64(t.Nanosecond())+part).In(t.Location())
	}
	month := t.Month() + time.Month(n*p.Months)
	day := time.Date(t.Year(), month+1, 0, 0, 0, 0, 0, time.UTC).Day() // the last
	if !p.MonthEnd {
		day = min(day, t.Day())
	}
	h, m, s := t.Clock()
	return time.Date(t.Year(), month, day, h, m, s, t.Nanosecond(), t.Location())
}

// String is as in "1h0m0s", "1 month", "12 months".
func (p Step) String() string {
	switch p.Months {
	case 0:
		return p.Duration.String()
	case 1:
		return "1 month"
	}
	return strconv.Itoa(p.Months) + " months"
}

// units is p in months or nanoseconds.
func (p Step) units() int64 { return max(int64(p.Months), int64(p.Duration)) }

// stepOf is the step of times in order, two or more, and how far each but the
// first is from the one before it, in units of the step.
func stepOf(times []time.Time) (p Step, distances []int64) {
	distances = make([]int64, len(times)-1)
	calendar, end := calendarOf(times)
	counts := map[int64]int{}
	for i := range distances {
		distances[i] = int64(times[i+1].Sub(times[i]))
		if calendar {
			distances[i] = int64(months(times[i+1]) - months(times[i]))
		}
		counts[distances[i]]++
	}
	var most int64
	for _, d := range distances { // the smaller of two as frequent
		if counts[d] > counts[most] || counts[d] == counts[most] && d < most {
			most = d
		}
	}
	if calendar {
		return Step{Months: int(most), MonthEnd: end}, distances
	}
	return Step{Duration: time.Duration(most)}, distances
}

func months(t time.Time) int { return 12*t.Year() + int(t.Month()) - 1 }

// calendarOf tells whether the times are all in months of their own at the same
// day and hour, or all at the ends of months.
func calendarOf(times []time.Time) (calendar, end bool) {
	sameDay, end := true, true
	for i, t := range times {
		h, m, s := t.Clock()
		h0, m0, s0 := times[0].Clock()
		if h != h0 || m != m0 || s != s0 || t.Nanosecond() != times[0].Nanosecond() || i > 0 && months(t) <= months(times[i-1]) {
			return false, false
		}
		sameDay = sameDay && t.Day() == times[0].Day()
		end = end && t.AddDate(0, 0, 1).Day() == 1
	}
	return sameDay || end, end
}

// fillRows finds the step, and puts rows without values where some are missing.
func (b *seriesBuilder) fillRows() error {
	times, lines := b.s.Times, b.lines
	step, distances := stepOf(times)
	b.s.Step = step
	missing := 0
	for i, d := range distances {
		if d == step.units() && d < math.MaxInt64 { // the longest that there can be is any longer one, too
			continue
		}
		at := fmt.Sprintf("line %d: %s is %s after the row before", lines[i+1], formatTime(b.s.layout, times[i+1]), apart(step, d))
		switch {
		case step.Months == 0 && d == math.MaxInt64:
			return fmt.Errorf("%s, or more: want less", at)
		case d%step.units() != 0:
			return fmt.Errorf("%s: want %s, as most rows are", at, step)
		case b.strict():
			return fmt.Errorf(`%s: want %s, as most rows are, or gaps to be filled by "last" or "linear"`, at, step)
		case d/step.units()-1 > int64(len(times)-missing):
			return fmt.Errorf("%s: that is more missing rows of %s than the %d that are there: want at most as many", at, step, len(times))
		}
		missing += int(d/step.units()) - 1
	}
	if missing == 0 {
		return nil
	}
	c := len(b.values)
	s := Series{Names: b.s.Names, Step: step, layout: b.s.layout}
	b.lines = nil
	for i, t := range times {
		if i > 0 {
			for k := range int(distances[i-1]/step.units()) - 1 {
				s.Times = append(s.Times, step.After(times[i-1], k+1))
				s.Values = append(s.Values, slices.Repeat([]float64{math.NaN()}, c)...)
				b.lines = append(b.lines, 0)
			}
		}
		s.Times = append(s.Times, t)
		s.Values = append(s.Values, b.s.Values[i*c:(i+1)*c]...)
		b.lines = append(b.lines, lines[i])
	}
	b.s = s
	return nil
}

func apart(p Step, units int64) Step {
	if p.Months > 0 {
		return Step{Months: int(units)}
	}
	return Step{Duration: time.Duration(units)}
}

// fillCells fills what is NaN from what stands before and behind it.
func (b *seriesBuilder) fillCells() error {
	c, n := len(b.values), len(b.lines)
	linear := b.t.Gaps == "linear"
	for j := range c {
		last := -1 // the last row with a value
		for i := range n {
			if math.IsNaN(b.s.Values[i*c+j]) {
				continue
			}
			if last < 0 && i > 0 {
				return b.open(0, j, "before")
			}
			from, to := b.s.Values[max(last, 0)*c+j], b.s.Values[i*c+j]
			for k := last + 1; k < i; k++ {
				b.s.Values[k*c+j] = from
				if linear {
					part := float64(k-last) / float64(i-last)
					b.s.Values[k*c+j] = float64(from*(1-part)) + float64(to*part)
				}
			}
			last = i
		}
		if last < 0 {
			return b.open(0, j, "before")
		}
		if last < n-1 && linear {
			return b.open(last+1, j, "after")
		}
		for k := last + 1; k < n; k++ {
			b.s.Values[k*c+j] = b.s.Values[last*c+j]
		}
	}
	return nil
}

// open is the error of a gap that is open to a side.
func (b *seriesBuilder) open(i, j int, side string) error {
	for b.lines[i] == 0 { // the last row stands in the file
		i++
	}
	return fmt.Errorf("line %d, column %d (%s): a gap with no value %s it: want one to fill it with", b.lines[i], b.values[j]+1, quote(b.s.Names[j]), side)
}

const unix = "unix" // as a layout of times

var layouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02", "2006-01",
}

var seconds = regexp.MustCompile(`^[0-9]{9,10}$`)

func isTimeName(s string) bool {
	return slices.Contains([]string{"date", "time", "timestamp", "year"}, strings.ToLower(s))
}

// timeLayout is how a time is written, "" for what is none.
func timeLayout(s string, numbers bool) string {
	s = strings.TrimSpace(s)
	all := layouts
	if numbers {
		all = append(slices.Clone(layouts), "2006", unix)
	}
	for _, layout := range all {
		if _, err := parseTime(layout, s); err == nil {
			return layout
		}
	}
	return ""
}

func parseTime(layout, s string) (time.Time, error) {
	if layout != unix {
		return time.ParseInLocation(layout, s, time.UTC) // whatever the zone of the machine
	}
	if !seconds.MatchString(s) {
		return time.Time{}, strconv.ErrSyntax
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(n, 0).UTC(), err
}

func formatTime(layout string, t time.Time) string {
	if layout == unix {
		return strconv.FormatInt(t.Unix(), 10)
	}
	return t.Format(layout)
}

// like shows how times are written.
func like(layout string) string {
	if layout == unix {
		return "in Unix seconds of 9 or 10 digits"
	}
	return "like " + strings.ReplaceAll(layout, ".999999999", "")
}
