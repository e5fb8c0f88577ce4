package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"sluice/internal/kernel"
	"sluice/internal/measure"
	"sluice/nn"
)

type benchCmd struct {
	What string `arg:"" optional:"" name:"peaks|MODEL" help:"peaks: the machine alone. A model file or a run's folder: that model. Without it, layers of usual sizes."`

	threadsFlag `embed:""`

	MS   int  `name:"ms" default:"150" placeholder:"N" help:"Milliseconds that each measurement takes (150)."`
	JSON bool `name:"json" help:"Print one JSON object."`
}

// maxMS keeps a mistyped time from being waited for.
const maxMS = 60_000

// Run measures this machine, alone or at work.
func (c *benchCmd) Run(e *env) error {
	threads, err := c.threads()
	if err != nil {
		return err
	}
	if c.MS < 1 || c.MS > maxMS {
		return fmt.Errorf("--ms %d: want 1 to %d", c.MS, maxMS)
	}
	b := &bencher{ctx: e.ctx, long: time.Duration(c.MS) * time.Millisecond, threads: threads, status: newStatus(e.stderr), out: e.stdout}
	if c.JSON {
		b.out = io.Discard
	}
	defer b.status.clear()
	r := benchReport{Processor: measure.Processor(), Cores: runtime.NumCPU(), Kernels: kernel.InUse().String(), Threads: threads}
	switch c.What {
	case "peaks":
		err = b.peaks(&r)
	case "":
		err = b.layers(&r)
	default:
		err = b.model(&r, c.What)
	}
	b.status.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.stdout, r, "")
	}
	return nil
}

// benchReport is what --json prints. Fractions are of what the machine can do.
type benchReport struct {
	Processor string        `json:"processor"`
	Cores     int           `json:"cores"`
	Kernels   string        `json:"kernels"`
	Threads   int           `json:"threads"`
	Peaks     []peakReport  `json:"peaks,omitempty"`
	Layers    []layerReport `json:"layers,omitempty"`
	Streams   []layerReport `json:"streams,omitempty"`
	Model     *modelReport  `json:"model,omitempty"`
}

// bencher measures, and shows what.
type bencher struct {
	ctx     context.Context
	long    time.Duration // of a measurement
	threads int
	status  status
	out     io.Writer
}

// head says on what machine the figures were taken.
func (b *bencher) head(r *benchReport) {
	var all []string
	for _, l := range kernel.Levels() {
		all = append(all, l.String())
	}
	slices.Reverse(all)
	fmt.Fprintf(b.out, "machine  %s, %s\nkernels  %s (here there are %s)\n", visible(r.Processor), plural(r.Cores, "core"), r.Kernels, strings.Join(all, ", "))
}

// time is the median time of a call in seconds.
func (b *bencher) time(call func()) (float64, error) { return b.timeFor(call, b.long) }

func (b *bencher) timeFor(call func(), long time.Duration) (float64, error) {
	times := measure.Sample(b.ctx, call, 1, long)
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return measure.Median(times) / 1e9, nil
}

// A limit is what the machine can do: the call does so much work.
type limit func(*measure.Crew) (call func(), work float64)

var multiplyAdd limit = measure.FMA

// reading is the limit of each thread's reading so many bytes again and again.
func reading(bytes int) limit {
	return func(crew *measure.Crew) (func(), float64) { return measure.Read(crew, bytes) }
}

// rate is the crew's at a limit, in operations or bytes a second.
func (b *bencher) rate(l limit, crew *measure.Crew) (float64, error) {
	call, work := l(crew)
	t, err := b.time(call)
	return work / t, err
}

// against measures a call and its limit in turn, since a machine is as fast as
// others let it be. It returns the time, and which part of the limit's rate the
// work of the call comes to.
func (b *bencher) against(l limit, crew *measure.Crew, call func(), work float64) (seconds, fraction float64, err error) {
	unit, done := l(crew)
	fastest := math.Inf(1)
	var times []float64
	for range 2 {
		t, err := b.timeFor(unit, b.long/2)
		if err != nil {
			return 0, 0, err
		}
		fastest = min(fastest, t)
		if t, err = b.timeFor(call, b.long/2); err != nil {
			return 0, 0, err
		}
		times = append(times, t)
	}
	seconds = measure.Median(times)
	return seconds, work / seconds * fastest / done, nil
}

// team starts the threads that a model runs on and keeps them at work for a
// moment: some systems start them all on one core and move them apart later.
func (b *bencher) team() (*nn.Team, error) {
	team := nn.NewTeam(b.threads)
	if b.threads == 1 {
		return team, nil
	}
	b.status.show("waiting for the threads to spread")
	work := func() { team.Do(b.threads, multiplyAdds{}) }
	if _, err := b.timeFor(work, 5*b.long); err != nil {
		team.Close()
		return nil, err
	}
	return team, nil
}

type multiplyAdds struct{}

func (multiplyAdds) Run(int) { kernel.PeakFMA(1 << 14) }

// status is a line on a terminal that says what is being measured.
type status struct {
	w     io.Writer
	width func() int // nil where there is no terminal
}

func newStatus(w io.Writer) status { return status{w, terminalWidth(w)} }

func (s status) show(format string, args ...any) {
	if s.width != nil {
		text := []rune(fmt.Sprintf(format, args...))
		fmt.Fprint(s.w, eraseLine, string(text[:min(len(text), s.width()-1)]))
	}
}

func (s status) clear() {
	if s.width != nil {
		fmt.Fprint(s.w, eraseLine)
	}
}

// row prints a line of a table whose columns have the widths of the head's.
func (b *bencher) row(widths []int, cells ...string) {
	b.status.clear()
	var line strings.Builder
	for i, cell := range cells {
		if i == 0 {
			fmt.Fprintf(&line, "%-*s", widths[i], cell)
		} else {
			fmt.Fprintf(&line, "  %*s", widths[i], cell)
		}
	}
	fmt.Fprintln(b.out, strings.TrimRight(line.String(), " "))
}

// figure has three digits, or all before the point.
func figure(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return count(int64(math.Round(v)))
}
