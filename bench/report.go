package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/measure"
)

// measured is a group and what came of it.
type measured struct {
	Group
	results []Result
}

// busyMark stands beside the time of a case that others may have disturbed.
const busyMark = "†"

// time is that of a side, in the group's unit.
func (m measured) time(r Result, side string) string {
	s, ok := r.Time(side)
	switch {
	case !ok:
		return "–"
	case m.Micro:
		return fmt.Sprintf("%.4g", s.Median*1e6)
	}
	return fmt.Sprintf("%.4g", s.Median*1e3)
}

func (m measured) unit() string {
	if m.Micro {
		return "µs"
	}
	return "ms"
}

func (m measured) limits() bool { return m.results[0].Case.IsLimit() }

// table has a row for each case.
func (m measured) table(sides []side) Table {
	t := Table{Title: m.Title, Note: m.Note}
	columns := compared(sides, m.results)
	head := slices.Clone(m.Heads)
	if m.limits() {
		head = append(head, "rate")
	} else {
		head = append(head, "ours, "+m.unit())
	}
	for _, s := range columns {
		head = append(head, s.title)
	}
	t.Rows = append(t.Rows, head)
	busy := false
	for _, r := range m.results {
		mark := ""
		if r.Busy() {
			mark, busy = busyMark, true
		}
		row := m.Columns(r.Case)
		if m.limits() {
			row = append(row, r.rate()+mark)
		} else {
			row = append(row, m.time(r, ours)+mark)
		}
		for _, s := range columns {
			row = append(row, r.ratio(s))
		}
		t.Rows = append(t.Rows, row)
	}
	if busy {
		t.Note = strings.TrimSpace(t.Note + " " + busyMark + " Other processes used more than a tenth of a core in some round.")
	}
	return t
}

// brief is a case in one line, for who waits.
func (m measured) brief(r Result, sides []side) string {
	if r.Case.IsLimit() {
		return fmt.Sprintf("%s: %s G/s", r.Case.Name(), r.rate())
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s %s", r.Case.Name(), m.time(r, ours), m.unit())
	for _, s := range compared(sides, []Result{r}) {
		fmt.Fprintf(&text, ", %s %s", s.name, r.ratio(s))
	}
	return text.String()
}

// compared are the sides that have a ratio in one of the results.
func compared(sides []side, results []Result) (with []side) {
	for _, s := range sides {
		if s.name != ours && slices.ContainsFunc(results, func(r Result) bool { _, ok := r.Ratio(s.name); return ok }) {
			with = append(with, s)
		}
	}
	return with
}

func (r Result) ratio(s side) string {
	if ratio, ok := r.Ratio(s.name); ok {
		return ratio.String()
	}
	return "–"
}

// rate is that of a limit, in thousand millions a second.
func (r Result) rate() string {
	return Spread{r.Rate.Median / 1e9, r.Rate.Min / 1e9, r.Rate.Max / 1e9}.String()
}

// means has the geometric mean of each side's ratios over a group's cases.
func means(groups []measured, threads []int, sides []side) Table {
	groups = slices.DeleteFunc(slices.Clone(groups), measured.limits)
	var all []Result
	for _, g := range groups {
		all = append(all, g.results...)
	}
	columns := compared(sides, all)
	head := []string{"group", "threads"}
	for _, s := range columns {
		head = append(head, s.title)
	}
	t := Table{
		Title: "Geometric means",
		Note:  "Of the medians, in parentheses over how many cases.",
		Rows:  [][]string{head},
	}
	for _, g := range groups {
		for _, n := range threads {
			if !slices.ContainsFunc(g.results, func(r Result) bool { return r.Case.Threads == n }) {
				continue
			}
			row := []string{g.Title, strconv.Itoa(n)}
			for _, s := range columns {
				row = append(row, g.mean(s, n))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// mean is over the cases with that number of threads.
func (m measured) mean(s side, threads int) string {
	var ratios []float64
	for _, r := range m.results {
		if ratio, ok := r.Ratio(s.name); ok && r.Case.Threads == threads {
			ratios = append(ratios, ratio.Median)
		}
	}
	if len(ratios) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%d)", number(GeometricMean(ratios)), len(ratios))
}

// preface says what the tables are.
func preface(names []string, p plan) string {
	return fmt.Sprintf(`%s, %d cores, %s; %s. %s.

Medians of %d rounds, in which all sides measured each case in turn; in parentheses the lowest and highest round. The column of a peer is its time over ours: above 1 we are faster. The limit is measured in the same rounds.
`, measure.Processor(), runtime.NumCPU(), time.Now().Format("2006-01-02"), runtime.Version(), strings.Join(names, ", "), p.rounds)
}
