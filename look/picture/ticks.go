package picture

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// tick is a mark of an axis.
type tick struct {
	at    float64
	label string
	under string // what label is a part of: the year of a month
}

// valueTicks stand at round values in [low, high], about n of them.
func valueTicks(low, high float64, n int) (ticks []tick) {
	step := round((high - low) / float64(max(1, n)))
	power := int(math.Floor(math.Log10(step) + 1e-9))
	first, last := int(math.Ceil(low/step)), int(math.Floor(high/step))
	most := int(math.Floor(math.Log10(float64(max(-first, last, 1))*step) + 1e-9))
	for i := first; i <= last; i++ {
		v := float64(i) * step
		label := strconv.FormatFloat(v, 'f', max(0, -power), 64)
		if most > 5 || most < -3 {
			label = exponential(v, power)
		}
		ticks = append(ticks, tick{at: v, label: strings.ReplaceAll(label, "-", "−")})
	}
	return ticks
}

// exponential is v as 1.5e6, rounded to a power of ten.
func exponential(v float64, power int) string {
	if v == 0 {
		return "0"
	}
	digits := int(math.Floor(math.Log10(math.Abs(v))+1e-9)) - power
	mantissa, e, _ := strings.Cut(strconv.FormatFloat(v, 'e', max(0, digits), 64), "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	exponent, _ := strconv.Atoi(e)
	return fmt.Sprintf("%se%d", mantissa, exponent)
}

// interval is one that ticks of a calendar may have.
type interval struct {
	every int
	unit  time.Duration // about
}

const (
	day   = 24 * time.Hour
	month = 30 * day
	year  = 365 * day
)

var intervals = []interval{
	{1, time.Second}, {5, time.Second}, {15, time.Second}, {30, time.Second},
	{1, time.Minute}, {5, time.Minute}, {15, time.Minute}, {30, time.Minute},
	{1, time.Hour}, {3, time.Hour}, {6, time.Hour}, {12, time.Hour},
	{1, day}, {2, day}, {7, day}, {14, day}, {1, month}, {3, month}, {6, month},
	{1, year}, {2, year}, {5, year}, {10, year}, {20, year}, {50, year}, {100, year},
	{200, year}, {500, year}, {1000, year},
}

// timeTicks stand at round times from one to another, at most some more than
// most of them, in seconds since 1970.
func timeTicks(from, to time.Time, most int) (ticks []tick) {
	n := 0
	for n < len(intervals)-1 && seconds(to)-seconds(from) > float64(most)*float64(intervals[n].every)*intervals[n].unit.Seconds() {
		n++
	}
	in := intervals[n]
	label, under := in.formats()
	last := math.Inf(-1)
	for i := 0; ; i++ {
		t := in.at(from, i)
		if t.After(to) {
			return ticks
		}
		at := seconds(t)
		// Days are counted anew in each month, and a clock may be set back.
		if t.Before(from) || at <= last || in.unit == day && in.every > 1 && (t.Day()%in.every != 1 || t.Day() > 28) {
			continue
		}
		ticks = append(ticks, tick{at, t.Format(label), t.Format(under)})
		last = at
	}
}

// at is the i-th tick, counted from before from. Of days it is the i-th day.
func (in interval) at(from time.Time, i int) time.Time {
	y, m, d := from.Date()
	loc, n := from.Location(), i*in.every
	switch in.unit {
	case year:
		return time.Date(y-y%in.every+n, 1, 1, 0, 0, 0, 0, loc)
	case month:
		return time.Date(y, time.Month(1+n), 1, 0, 0, 0, 0, loc)
	case day:
		return time.Date(y, m, d+i, 0, 0, 0, 0, loc)
	case time.Hour:
		return time.Date(y, m, d, n, 0, 0, 0, loc)
	case time.Minute:
		return time.Date(y, m, d, from.Hour(), n, 0, 0, loc)
	}
	return time.Date(y, m, d, from.Hour(), from.Minute(), n, 0, loc)
}

// formats are those of a tick's label and of what this is a part of.
func (in interval) formats() (label, under string) {
	switch in.unit {
	case year:
		return "2006", ""
	case month:
		return "Jan", "2006"
	case day:
		return "2 Jan", "2006"
	case time.Second:
		return "15:04:05", "2 Jan 2006"
	}
	return "15:04", "2 Jan 2006"
}

func seconds(t time.Time) float64 {
	return float64(t.Unix()) + float64(t.Nanosecond())/1e9
}

// stepTicks stand at round steps, 1 being the first of a forecast.
func stepTicks(from, to, most int) (ticks []tick) {
	for _, t := range valueTicks(float64(from), float64(to), most) {
		if t.at == math.Trunc(t.at) {
			ticks = append(ticks, t)
		}
	}
	return ticks
}
