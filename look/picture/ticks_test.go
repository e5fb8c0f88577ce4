package picture

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func shownTicks(ticks []tick) string {
	var all []string
	under := ""
	for _, t := range ticks {
		text := t.label
		if t.under != under {
			text += "/" + t.under
			under = t.under
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestValueTicks(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		n         int
		want      string
	}{
		{0, 1, 4, "0.0 0.5 1.0"},
		{-0.3, 1.1, 4, "0.0 0.5 1.0"},
		{-7, 23, 6, "−5 0 5 10 15 20"},
		{104, 655, 6, "200 300 400 500 600"},
		{0.0101, 0.0199, 5, "0.012 0.014 0.016 0.018"},
		{0, 3e6, 6, "0 5e5 1e6 1.5e6 2e6 2.5e6 3e6"},
		{999_000, 1_001_000, 4, "9.99e5 9.995e5 1e6 1.0005e6 1.001e6"},
		{-4e-5, 4e-5, 4, "−4e−5 −2e−5 0 2e−5 4e−5"},
		{-1e29, 1e29, 4, "−1e29 −5e28 0 5e28 1e29"},
	} {
		if got := shownTicks(valueTicks(test.low, test.high, test.n)); got != test.want {
			t.Errorf("%v to %v: %s, want %s", test.low, test.high, got, test.want)
		}
	}
}

func TestTimeTicks(t *testing.T) {
	// A zone whose clock goes forward at 02:00 on 27 March, and back in October.
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		rome = nil
	}
	date := func(y, m, d, h, min int) time.Time { return time.Date(y, time.Month(m), d, h, min, 0, 0, time.UTC) }
	for _, test := range []struct {
		from, to time.Time
		want     string
	}{
		{date(2016, 7, 1, 5, 0), date(2016, 7, 1, 5, 0).Add(40 * time.Second), "05:00:00/1 Jul 2016 05:00:05 05:00:10 05:00:15 05:00:20 05:00:25 05:00:30 05:00:35 05:00:40"},
		{date(2016, 7, 1, 23, 50), date(2016, 7, 2, 0, 20), "23:50/1 Jul 2016 23:55 00:00/2 Jul 2016 00:05 00:10 00:15 00:20"},
		{date(2016, 7, 1, 5, 10), date(2016, 7, 2, 20, 0), "06:00/1 Jul 2016 12:00 18:00 00:00/2 Jul 2016 06:00 12:00 18:00"},
		{date(2016, 12, 28, 5, 0), date(2017, 1, 4, 5, 0), "29 Dec/2016 30 Dec 31 Dec 1 Jan/2017 2 Jan 3 Jan 4 Jan"},
		{date(2016, 1, 20, 0, 0), date(2016, 3, 10, 0, 0), "22 Jan/2016 1 Feb 8 Feb 15 Feb 22 Feb 1 Mar 8 Mar"},
		{date(2016, 1, 20, 0, 0), date(2016, 2, 4, 0, 0), "21 Jan/2016 23 Jan 25 Jan 27 Jan 1 Feb 3 Feb"},
		{date(2016, 11, 15, 0, 0), date(2018, 8, 1, 0, 0), "Jan/2017 Apr Jul Oct Jan/2018 Apr Jul"},
		{date(1949, 1, 1, 0, 0), date(1962, 12, 1, 0, 0), "1950 1952 1954 1956 1958 1960 1962"},
		{date(200, 1, 1, 0, 0), date(3500, 1, 1, 0, 0), "0500 1000 1500 2000 2500 3000 3500"},
	} {
		if got := shownTicks(timeTicks(test.from, test.to, 8)); got != test.want {
			t.Errorf("%v to %v:\n%s, want\n%s", test.from, test.to, got, test.want)
		}
	}
	if rome == nil {
		t.Skip("no time zones here")
	}
	for _, day := range []time.Time{time.Date(2016, 3, 27, 0, 0, 0, 0, rome), time.Date(2016, 10, 30, 0, 0, 0, 0, rome)} {
		ticks := timeTicks(day, day.Add(12*time.Hour), 16)
		for i := 1; i < len(ticks); i++ {
			if far := (ticks[i].at - ticks[i-1].at) / 3600; far != 1 && far != 2 {
				t.Errorf("%v: ticks %s and %s are %v h apart", day, ticks[i-1].label, ticks[i].label, far)
			}
		}
	}
}

// Whatever the span, ticks are few enough to be read, and enough to read by.
func TestTimeTicksFew(t *testing.T) {
	const most = 15
	from := time.Date(2015, 12, 30, 22, 59, 7, 0, time.UTC)
	for span := 10 * time.Second; span < 200*year; span += span / 7 {
		if n := len(timeTicks(from, from.Add(span), most)); n < 2 || n > most+3 {
			t.Errorf("%v: %d ticks", span, n)
		}
	}
	if ticks := timeTicks(from, from, most); len(ticks) != 1 {
		t.Errorf("one moment: %s", fmt.Sprint(ticks))
	}
}
