package model

import (
	"fmt"

	"sluice/nn"
	"sluice/rnn"
)

// Forecast is the task of a forecast: Window steps of C series → their next
// Horizon steps. Its loss is the squared error of what was scaled, and with
// quantiles their pinball losses beside it, by the values forecast. It needs
// Names.Series.
//
// Directly, by segments, as SegRNN does it (Lin et al. 2023, arXiv 2308.11200):
// each series for itself, less its last value, is cut into segments of Segment
// steps, each of which a linear layer with ReLU makes a vector of width Embed;
// one layer goes over them; from its last state all segments of the horizon are
// decoded side by side, each by one step of the same layer that reads where the
// segment is and which series it is of.
//
// Recursively, with a Segment of 0: the stack reads the series side by side and
// says at each step by how much they change with the next; what it says is what
// it reads next.
const Forecast = "forecast"

// ForecastOf says how series are forecast.
type ForecastOf struct {
	Window    int       `json:"window,omitempty"`    // L: steps read
	Horizon   int       `json:"horizon,omitempty"`   // H: steps forecast
	Segment   int       `json:"segment,omitempty"`   // w: steps of a segment, of which there are whole numbers in both; 0: recursively
	Quantiles []float64 `json:"quantiles,omitempty"` // beside the mean, rising, in (0, 1); of a direct forecast
}

func (f ForecastOf) none() bool {
	return f.Window == 0 && f.Horizon == 0 && f.Segment == 0 && len(f.Quantiles) == 0
}

// MaxHorizon bounds window and horizon.
const MaxHorizon = 1 << 20

func (f ForecastOf) validate() error {
	switch {
	case f.Window < 1 || f.Window > MaxHorizon:
		return fmt.Errorf("model: a window of %d steps: want 1 to %d", f.Window, MaxHorizon)
	case f.Horizon < 1 || f.Horizon > MaxHorizon:
		return fmt.Errorf("model: a horizon of %d steps: want 1 to %d", f.Horizon, MaxHorizon)
	case f.Segment < 0 || f.Segment > 0 && (f.Window%f.Segment != 0 || f.Horizon%f.Segment != 0):
		return fmt.Errorf("model: segments of %d steps: want a divisor of the window (%d) and of the horizon (%d), or 0 to forecast recursively", f.Segment, f.Window, f.Horizon)
	case len(f.Quantiles) > 0 && f.Segment == 0:
		return fmt.Errorf("model: quantiles %v: of a direct forecast, by segments; those of a recursive one would be of a single step", f.Quantiles)
	case len(f.Quantiles) > maxQuantiles:
		return fmt.Errorf("model: %d quantiles: want at most %d", len(f.Quantiles), maxQuantiles)
	}
	before := 0.0
	for _, q := range f.Quantiles {
		if !(q > before && q < 1) {
			return fmt.Errorf("model: quantiles %v: want rising numbers between 0 and 1", f.Quantiles)
		}
		before = q
	}
	return nil
}

const maxQuantiles = 99

// outputs is how many numbers are given for a value: its mean and quantiles.
func (f ForecastOf) outputs() int { return 1 + len(f.Quantiles) }

type forecast struct{}

func (forecast) complete(s *Spec, n Names) error {
	if n.Series == nil {
		return fmt.Errorf("model: task %s without series", Forecast)
	}
	if err := s.Forecast.validate(); err != nil {
		return err
	}
	if s.Features = s.Forecast.Segment; s.Features == 0 {
		s.Features = len(n.Series.Names)
	}
	return nil
}

func (forecast) validate(s Spec) error {
	if err := s.Forecast.validate(); err != nil {
		return err
	}
	if err := s.forward("stack would read steps that are to be forecast"); err != nil {
		return err
	}
	if s.Forecast.Segment > 0 {
		switch {
		case s.Embed == 0 || s.Embed%2 != 0:
			return fmt.Errorf("model: segments as vectors of width %d: want an even width, half of it for where a segment is", s.Embed)
		case s.RNN.Layers != 1 || s.RNN.Validate() == nil && s.RNN.StateSize() != s.RNN.Hidden:
			return fmt.Errorf("model: a forecast by segments with %d layers of %s: want one, of a cell whose output is its state: gru or rnn", s.RNN.Layers, s.RNN.Cell)
		}
	}
	return nil
}

// The parameters of a direct forecast's decoder.
const (
	positions = "decoder.positions"
	series    = "decoder.series"
)

func (forecast) tensors(s Spec, n Names) []nn.Tensor {
	f := s.Forecast
	if f.Segment == 0 {
		return linearTensors(s, len(n.Series.Names))
	}
	return append([]nn.Tensor{
		{Name: positions, Shape: []int{f.Horizon / f.Segment, s.Embed / 2}},
		{Name: series, Shape: []int{len(n.Series.Names), s.Embed / 2}},
	}, linearTensors(s, f.Segment*f.outputs())...)
}

func (forecast) weights(p *Packed) weights {
	if f := p.Forecast; f.Segment > 0 {
		return &decoder{linear: linear{nn.NewLinear(p.RNN.OutputSize(), f.Segment*f.outputs())}}
	}
	return linear{nn.NewLinear(p.RNN.OutputSize(), len(p.Series.Names))}
}

func (forecast) head(r *Runner) head {
	if r.p.Forecast.Segment > 0 {
		return newDirectHead(r)
	}
	return &recursiveHead{outputs: outputs{r: r}}
}

// recursiveHead gives at the last step of the window and those after it but one
// the change that comes with the next.
type recursiveHead struct {
	outputs
	dy []float32 // (T, B, W)
}

// check wants Window + Horizon − 1 steps, and Values (B, H·C): the changes.
func (h *recursiveHead) check(b Batch) {
	f, c := h.r.p.Forecast, h.r.p.Features
	switch {
	case b.T != f.Window+f.Horizon-1 || len(b.Values) != b.B*f.Horizon*c:
		panic(fmt.Sprintf("model: a batch of %d steps and %d values, want %d and %d × %d × %d", b.T, len(b.Values), f.Window+f.Horizon-1, b.B, f.Horizon, c))
	case b.Lengths != nil:
		panic("model: a batch with lengths: a forecast reads all steps of all rows")
	}
}

func (h *recursiveHead) read(y []float32, b Batch) []float32 {
	return y[(h.r.p.Forecast.Window-1)*b.B*h.layer().In:]
}

func (h *recursiveHead) back(_, dz []float32, b Batch) []float32 {
	h.dy = nn.Grow(h.dy, b.T*b.B*h.layer().In)
	n := copy(h.dy[(h.r.p.Forecast.Window-1)*b.B*h.layer().In:], dz)
	clear(h.dy[:len(h.dy)-n])
	return h.dy
}

func (h *recursiveHead) loss(z []float32, b Batch) (sum float64, count int) { return h.squared(z, b) }

func (h *recursiveHead) gradient(g, dz, z []float32, b Batch, _ Objective) (sum float64, count int) {
	sum, count = h.squared(z, b)
	h.backward(g, dz)
	return sum, count
}

// squared is the squared error, and makes of the outputs the gradient of its mean.
func (h *recursiveHead) squared(z []float32, b Batch) (sum float64, count int) {
	h.forward(z)
	c, count := h.layer().Out, len(b.Values)
	for i := range h.n {
		t, row := i/b.B, i%b.B
		for k := range c {
			out := h.out.At(i, k)
			d := float64(out[0]) - float64(b.Values[(row*h.r.p.Forecast.Horizon+t)*c+k])
			sum += float64(d * d)
			out[0] = float32(2 * d / float64(count))
		}
	}
	return sum, count
}

func (h *recursiveHead) nonFinite(z []float32, b Batch) string {
	if v, i, k, ok := h.outputs.nonFinite(z); ok {
		return fmt.Sprintf("the change of series %d at step %d of row %d is %v", k, i/b.B, i%b.B, v)
	}
	return ""
}

// decoder is what a direct forecast has after its layer.
type decoder struct {
	linear
	positions, series []float32 // (m, E/2), (C, E/2)
}

func (d *decoder) pack(team *nn.Team, p *Packed, params []float32) {
	d.linear.pack(team, p, params)
	d.positions = append(d.positions[:0], p.rows.find(params, positions)...)
	d.series = append(d.series[:0], p.rows.find(params, series)...)
}

// decoded sets the masks of the decoder apart from the stack's.
const decoded = 0xD1B54A32D192ED03

// directHead decodes all m segments of a horizon from the last output of each
// row, which is its state.
type directHead struct {
	outputs
	rnn              *rnn.Runner
	tape             rnn.Tape
	key              nn.Key    // of the tape's masks
	x, y, state      []float32 // (B, m, E), (B, m, W), (B, m, W)
	dx, dOut, dState []float32 // as these
	z                []float32 // (m, B, W) what the head reads: y, segment by segment
	dy               []float32 // (T, B, W)
}

func newDirectHead(r *Runner) *directHead {
	return &directHead{outputs: outputs{r: r}, rnn: rnn.NewRunner(r.p.rnn, r.team)}
}

func (h *directHead) segments() int { return h.r.p.Forecast.Horizon / h.r.p.Forecast.Segment }

// check wants Window/Segment steps of segments, the series of each row, and
// Values (B, H).
func (h *directHead) check(b Batch) {
	f := h.r.p.Forecast
	switch {
	case b.T != f.Window/f.Segment || len(b.Values) != b.B*f.Horizon || len(b.Series) != b.B:
		panic(fmt.Sprintf("model: a batch of %d segments, %d values and %d series, want %d, %d × %d and %d", b.T, len(b.Values), len(b.Series), f.Window/f.Segment, b.B, f.Horizon, b.B))
	case b.Lengths != nil:
		panic("model: a batch with lengths: a forecast reads all steps of all rows")
	}
	for i, s := range b.Series {
		if s < 0 || int(s) >= len(h.r.p.Series.Names) {
			panic(fmt.Sprintf("model: series %d of row %d, want 0 to %d", s, i, len(h.r.p.Series.Names)-1))
		}
	}
}

// read decodes with the rows of a segment side by side, so that the masks of a row
// are the same among any others.
func (h *directHead) read(y []float32, b Batch) []float32 {
	p, m, w := h.r.p, h.segments(), h.layer().In
	d, half := p.head.(*decoder), p.Embed/2
	last := y[(b.T-1)*b.B*w:]
	h.x, h.y, h.state = nn.Grow(h.x, m*b.B*p.Embed), nn.Grow(h.y, m*b.B*w), nn.Grow(h.state, m*b.B*w)
	for i, s := range b.Series {
		for j := range m {
			copy(h.state[(i*m+j)*w:], last[i*w:(i+1)*w])
			x := h.x[(i*m+j)*p.Embed:]
			copy(x[:half], d.positions[j*half:])
			copy(x[half:p.Embed], d.series[int(s)*half:])
		}
	}
	if h.tape.Dropout = nil; h.r.dropout != nil {
		h.key = nn.Key{Seed: h.r.dropout.Seed ^ decoded, Step: h.r.dropout.Step}
		h.tape.Dropout = &h.key
	}
	h.rnn.Forward(h.y, rnn.Sequence{T: 1, B: m * b.B, F: p.Embed, Data: h.x}, h.state, &h.tape)
	h.z = nn.Grow(h.z, len(h.y))
	transpose(h.z, h.y, b.B, m, w)
	return h.z
}

// transpose sets y (n, m, W) to x (m, n, W).
func transpose(y, x []float32, m, n, w int) {
	for i := range m {
		for j := range n {
			copy(y[(j*m+i)*w:(j*m+i+1)*w], x[(i*n+j)*w:])
		}
	}
}

func (h *directHead) back(g, dz []float32, b Batch) []float32 {
	p, m, w := h.r.p, h.segments(), h.layer().In
	half := p.Embed / 2
	h.dx, h.dOut, h.dState, h.dy = nn.Grow(h.dx, len(h.x)), nn.Grow(h.dOut, len(h.y)), nn.Grow(h.dState, len(h.state)), nn.Grow(h.dy, b.T*b.B*w)
	clear(h.dState)
	transpose(h.dOut, dz, m, b.B, w)
	h.rnn.Backward(p.rows.of(stack, g), h.dx, h.dOut, h.dState, &h.tape)
	dPositions, dSeries := p.rows.find(g, positions), p.rows.find(g, series)
	last := (b.T - 1) * b.B * w
	clear(h.dy)
	for j := range m {
		for i, s := range b.Series {
			dx := h.dx[(i*m+j)*p.Embed:][:p.Embed]
			add(dPositions[j*half:(j+1)*half], dx[:half])
			add(dSeries[int(s)*half:(int(s)+1)*half], dx[half:])
			add(h.dy[last+i*w:], h.dState[(i*m+j)*w:][:w])
		}
	}
	return h.dy
}

// add adds y to x.
func add(x, y []float32) {
	for i, v := range y {
		x[i] += v
	}
}

func (h *directHead) loss(z []float32, b Batch) (sum float64, count int) { return h.errors(z, b) }

func (h *directHead) gradient(g, dz, z []float32, b Batch, _ Objective) (sum float64, count int) {
	sum, count = h.errors(z, b)
	h.backward(g, dz)
	return sum, count
}

// errors is the squared error of the means and the pinball losses of the
// quantiles, and makes of the outputs the gradient of their mean by the values.
func (h *directHead) errors(z []float32, b Batch) (sum float64, count int) {
	h.forward(z)
	f := h.r.p.Forecast
	count = len(b.Values)
	by := 1 / float64(count)
	for i := range h.n { // segment by segment
		j, row := i/b.B, i%b.B
		values := b.Values[row*f.Horizon+j*f.Segment:][:f.Segment]
		for k, v := range values {
			want := float64(v)
			out := h.out.At(i, k)
			d := float64(out[0]) - want
			sum += float64(d * d)
			out[0] = float32(2 * d * by)
			for n, q := range f.Quantiles {
				out := h.out.At(i, (n+1)*f.Segment+k)
				loss, slope := pinball(q, float64(out[0])-want)
				sum += loss
				out[0] = float32(slope * by)
			}
		}
	}
	return sum, count
}

// pinball is the loss of a quantile that is d too high, and its slope.
func pinball(q, d float64) (loss, slope float64) {
	if d > 0 {
		return (1 - q) * d, 1 - q
	}
	return -q * d, -q
}

func (h *directHead) nonFinite(z []float32, b Batch) string {
	m := h.segments()
	if at := notFiniteStep(&h.tape, h.r.p.RNN, 1, m*b.B); at != nil {
		return fmt.Sprintf("segment %d of row %d: %s of the decoder has %v at %d", at.row%m, at.row/m, at.vector, at.value, at.i)
	}
	if v, i, k, ok := h.outputs.nonFinite(z); ok {
		f := h.r.p.Forecast
		return fmt.Sprintf("the forecast of step %d of row %d is %v", i/b.B*f.Segment+k%f.Segment, i%b.B, v)
	}
	return ""
}
