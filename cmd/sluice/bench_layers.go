package main

import (
	"fmt"
	"strconv"

	"sluice/internal/kernel"
	"sluice/internal/measure"
	"sluice/nn"
)

// The layers that are measured, and the widths of the streams. Input and state
// are as wide.
var (
	benchCells  = []string{"lstm", "gru-after", "gru-before"}
	benchShapes = []struct{ B, T, H int }{{32, 35, 256}, {64, 50, 128}, {20, 35, 650}}
	benchWidths = []int{64, 128, 256, 512, 1024}
)

// layerReport is a layer's times. Of a stream there is Infer only.
type layerReport struct {
	Cell  string      `json:"cell"`
	B     int         `json:"batch"`
	T     int         `json:"steps"`
	H     int         `json:"hidden"`
	Train *timeReport `json:"training,omitempty"`
	Infer *timeReport `json:"inference"`
}

// timeReport is the time of a call. Its fraction is of the multiply-add rate,
// or of a stream's of the rate at which its weights can be read.
type timeReport struct {
	Seconds  float64 `json:"seconds"`
	Tokens   float64 `json:"tokens_per_second"`
	Fraction float64 `json:"fraction_of_limit"`
}

// cells are a time in the given unit, tokens a second, and the fraction.
func (t timeReport) cells(unit float64) []string {
	return []string{figure(t.Seconds / unit), count(int64(t.Tokens)), percent(t.Fraction)}
}

func percent(fraction float64) string { return fmt.Sprintf("%.0f %%", 100*fraction) }

// layers measures the grid on all threads, and streams on one.
func (b *bencher) layers(r *benchReport) error {
	b.head(r)
	if err := b.grid(r); err != nil {
		return err
	}
	return b.streams(r)
}

func (b *bencher) grid(r *benchReport) error {
	crew := measure.NewCrew(b.threads)
	defer crew.Close()
	team, err := b.team()
	if err != nil {
		return err
	}
	defer team.Close()
	widths := []int{10, 9, 12, 9, 7, 13, 9, 7}
	b.status.clear()
	fmt.Fprintf(b.out, "\none layer, X = H, %s\n", plural(b.threads, "thread"))
	b.row(widths, "cell", "B×T×H", "training, ms", "tokens/s", "of peak", "inference, ms", "tokens/s", "of peak")
	shapes := benchShapes
	if kernel.InUse() == kernel.Generic {
		shapes = shapes[:2] // the last would take half a minute
	}
	for _, s := range shapes {
		for _, cell := range benchCells {
			l := measure.Layers{Cell: cell, B: s.B, T: s.T, X: s.H, H: s.H, L: 1, D: 1}
			one := layerReport{Cell: cell, B: s.B, T: s.T, H: s.H}
			if one.Train, err = b.layer(l, crew, team, "training", l.Train, 3*l.Forward()); err != nil {
				return err
			}
			if one.Infer, err = b.layer(l, crew, team, "inference", l.Infer, l.Forward()); err != nil {
				return err
			}
			r.Layers = append(r.Layers, one)
			line := []string{cell, fmt.Sprintf("%d×%d×%d", s.B, s.T, s.H)}
			b.row(widths, append(append(line, one.Train.cells(1e-3)...), one.Infer.cells(1e-3)...)...)
		}
	}
	fmt.Fprintln(b.out, "training: forward and backward, weights packed anew; of peak: of the multiply-add rate")
	return nil
}

// layer measures one that needs so many operations.
func (b *bencher) layer(l measure.Layers, crew *measure.Crew, team *nn.Team, what string, ready func(*nn.Team) (func(), error), work float64) (*timeReport, error) {
	b.status.show("%s %d×%d×%d, %s", l.Cell, l.B, l.T, l.H, what)
	call, err := ready(team)
	if err != nil {
		return nil, err
	}
	t, fraction, err := b.against(multiplyAdd, crew, call, work)
	return &timeReport{t, float64(l.B*l.T) / t, fraction}, err
}

func (b *bencher) streams(r *benchReport) error {
	crew, team := measure.NewCrew(1), nn.NewTeam(1)
	defer crew.Close()
	defer team.Close()
	widths := []int{10, 5, 8, 9, 12}
	fmt.Fprint(b.out, "\none stream, one step, X = H, 1 thread\n")
	b.row(widths, "cell", "H", "step, µs", "tokens/s", "of read peak")
	for _, h := range benchWidths {
		for _, cell := range benchCells {
			one, err := b.stream(measure.Layers{Cell: cell, B: 1, T: 1, X: h, H: h, L: 1, D: 1}, crew, team)
			if err != nil {
				return err
			}
			r.Streams = append(r.Streams, one)
			b.row(widths, append([]string{cell, strconv.Itoa(h)}, one.Infer.cells(1e-6)...)...)
		}
	}
	fmt.Fprintln(b.out, "of read peak: of the rate at which as many bytes as the weights can be read")
	return nil
}

func (b *bencher) stream(l measure.Layers, crew *measure.Crew, team *nn.Team) (layerReport, error) {
	b.status.show("%s %d, one stream", l.Cell, l.H)
	one := layerReport{Cell: l.Cell, B: 1, T: 1, H: l.H}
	call, err := l.Stream(team)
	if err != nil {
		return one, err
	}
	bytes := 4 * l.Gates() * l.H * (l.X + l.H)
	t, fraction, err := b.against(reading(bytes), crew, call, float64(bytes))
	one.Infer = &timeReport{t, 1 / t, fraction}
	return one, err
}
