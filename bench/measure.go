package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
)

// side is one column of a comparison: a peer, and what it is told beside the
// case. Sides measure in turn, A B C, C B A, A B C …
type side struct {
	name  string
	title string // of the column of its ratios; ours has none
	peer  peer
	words string
}

// ours is the name of the side that all others are held against, and limit
// that of the machine's limit, which is measured in the same rounds.
const (
	ours  = "sluice"
	limit = "limit"
)

// sides are all there can be, in the order of the columns.
func sides(others []peer) []side {
	all := []side{{name: limit, title: "of the limit", peer: limits}, {name: ours, peer: sluice}}
	for _, p := range others {
		all = append(all, side{name: p.name, title: p.name, peer: p})
		if p.name == "onednn" {
			all = append(all, side{name: "onednn-packed", title: "onednn, packing not counted", peer: p, words: "repack=0"})
		}
	}
	return all
}

// Round has the median time of a call of each side, in seconds, and for the
// limit the time that the case would take at its rate.
type Round struct {
	Times   map[string]float64
	Foreign float64 // cores that other processes used meanwhile
}

// Result is the rounds of a case.
type Result struct {
	Case   Case
	Rate   Spread // of a limit, in operations or bytes a second
	Rounds []Round
}

// Busy says whether others used the machine in a round.
func (r Result) Busy() bool {
	return slices.ContainsFunc(r.Rounds, func(r Round) bool { return r.Foreign > tooBusy })
}

// Ratio is the time of a side over ours in each round: above 1 it is slower
// than we are. Of the limit it is the part of it that we reach.
func (r Result) Ratio(side string) (s Spread, ok bool) {
	var ratios []float64
	for _, round := range r.Rounds {
		if other, own := round.Times[side], round.Times[ours]; other > 0 && own > 0 {
			ratios = append(ratios, other/own)
		}
	}
	if len(ratios) == 0 {
		return Spread{}, false
	}
	return SpreadOf(ratios), true
}

// Time is that of a side, ok if it was measured.
func (r Result) Time(side string) (s Spread, ok bool) {
	var times []float64
	for _, round := range r.Rounds {
		if t, ok := round.Times[side]; ok {
			times = append(times, t)
		}
	}
	if len(times) == 0 {
		return Spread{}, false
	}
	return SpreadOf(times), true
}

// tooBusy is the part of a core that others may use in a round. Of rounds with
// more, as many again are tried, and those with least are kept.
const tooBusy = 0.1

// plan is how much to measure.
type plan struct{ rounds, reps, ms int }

// entry is a side that measures the case at hand.
type entry struct {
	side  side
	child *child
	scale float64 // of its times: 1, or for a limit the case's work over that of a call
}

// measure runs a case on all sides that can.
func (b *bench) measure(c Case, sides []side, p plan) (Result, error) {
	entries, work, err := b.enter(c, sides)
	if err != nil {
		return Result{}, err
	}
	r := Result{Case: c}
	// The first round does not count. Schedulers may keep the threads of a
	// process that has just woken on one core for a while.
	if _, entries, err = b.round(c, entries, plan{reps: 1, ms: p.ms}); err != nil {
		return Result{}, err
	}
	var tried []Round
	for quiet := 0; quiet < p.rounds && len(tried) < 2*p.rounds && len(entries) > 0; {
		if len(tried)%2 == 1 {
			slices.Reverse(entries)
		}
		var round Round
		if round, entries, err = b.round(c, entries, p); err != nil {
			return Result{}, err
		}
		tried = append(tried, round)
		if round.Foreign <= tooBusy {
			quiet++
		}
	}
	slices.SortStableFunc(tried, func(a, b Round) int { return cmp.Compare(a.Foreign, b.Foreign) })
	r.Rounds = tried[:min(p.rounds, len(tried))]
	if t, ok := r.Time(limit); ok && c.IsLimit() {
		r.Rate = Spread{work / t.Median, work / t.Max, work / t.Min}
	}
	return r, nil
}

// enter opens the case on all sides that can. work is that of the limit.
func (b *bench) enter(c Case, sides []side) (entries []entry, work float64, err error) {
	for _, s := range sides {
		if _, here := b.commands[s.peer.name]; !here || c.IsLimit() && s.name != limit {
			continue
		}
		asked := c
		if s.name == limit {
			asked, work = c.Limit()
		}
		child, err := b.child(s, c.Threads)
		var done float64
		if err == nil {
			done, err = child.open(asked, s.words)
		}
		if errors.Is(err, errUnsupported) {
			continue
		}
		if err != nil {
			if err := b.failed(s, c, err); err != nil {
				return nil, 0, err
			}
			continue
		}
		e := entry{s, child, 1}
		if s.name == limit {
			if work == 0 { // the limit itself is wanted
				work = done
			}
			e.scale = work / done
		}
		entries = append(entries, e)
	}
	return entries, work, nil
}

// failed tells of a side that could not measure a case: the others go on,
// unless it is the driver that was told to end.
func (b *bench) failed(s side, c Case, err error) error {
	if b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	fmt.Fprintf(os.Stderr, "%s left out of %s: %v\n", s.name, c.Name(), err)
	return nil
}

// round lets each entry measure once. It returns those that could.
func (b *bench) round(c Case, entries []entry, p plan) (r Round, able []entry, err error) {
	children := slices.Collect(maps.Values(b.children))
	before, err := readCPU(children)
	if err != nil {
		return r, nil, err
	}
	r.Times = map[string]float64{}
	for _, e := range entries {
		t, err := e.child.run(p.reps, p.ms)
		if err != nil {
			if err := b.failed(e.side, c, err); err != nil {
				return r, nil, err
			}
			continue
		}
		r.Times[e.side.name] = t * e.scale
		able = append(able, e)
	}
	after, err := readCPU(children)
	r.Foreign = foreign(before, after)
	return r, able, err
}
