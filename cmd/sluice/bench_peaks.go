package main

import (
	"fmt"

	"sluice/internal/measure"
)

// peakReport is what the machine can do with a number of threads.
type peakReport struct {
	Threads     int          `json:"threads"`
	MultiplyAdd float64      `json:"multiply_add_gflops"`
	Read        []readReport `json:"read"`
}

type readReport struct {
	Level string  `json:"level"`
	Bytes int     `json:"bytes_a_thread"`
	Rate  float64 `json:"gb_per_second"`
}

// peaks measures the machine with one thread and with all.
func (b *bencher) peaks(r *benchReport) error {
	b.head(r)
	counts := []int{1}
	if b.threads > 1 {
		counts = append(counts, b.threads)
	}
	for _, n := range counts {
		p, err := b.peak(n)
		if err != nil {
			return err
		}
		r.Peaks = append(r.Peaks, p)
	}
	fmt.Fprintln(b.out)
	widths, head := []int{21}, []string{""}
	for _, p := range r.Peaks {
		head = append(head, plural(p.Threads, "thread"))
		widths = append(widths, max(len(head[len(head)-1]), 8))
	}
	b.row(widths, head...)
	line := []string{"multiply-add, GFLOP/s"}
	for _, p := range r.Peaks {
		line = append(line, figure(p.MultiplyAdd))
	}
	b.row(widths, line...)
	for i, level := range r.Peaks[0].Read {
		line := []string{fmt.Sprintf("read %s, GB/s", level.Level)}
		for _, p := range r.Peaks {
			line = append(line, figure(p.Read[i].Rate))
		}
		b.row(widths, line...)
	}
	return nil
}

func (b *bencher) peak(threads int) (p peakReport, err error) {
	crew := measure.NewCrew(threads)
	defer crew.Close()
	p.Threads = threads
	b.status.show("multiply-adds, %s", plural(threads, "thread"))
	rate, err := b.rate(multiplyAdd, crew)
	if err != nil {
		return p, err
	}
	p.MultiplyAdd = rate / 1e9
	for _, m := range measure.Memories(threads) {
		b.status.show("reading %s, %s", m.Name, plural(threads, "thread"))
		rate, err := b.rate(reading(m.Bytes), crew)
		if err != nil {
			return p, err
		}
		p.Read = append(p.Read, readReport{m.Name, m.Bytes, rate / 1e9})
	}
	return p, nil
}
