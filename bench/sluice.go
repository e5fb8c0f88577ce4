package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
	"sluice/optim"
	"sluice/rnn"
)

// sluiceChild as the first argument makes this program Sluice's child.
const sluiceChild = "sluice-child"

// opened is a case made ready.
type opened struct {
	call  func()
	close func()
}

// serveSluice answers the driver until it closes in.
func serveSluice(in io.Reader, out io.Writer) error {
	fmt.Fprintln(out, "ready Sluice,", runtime.Version())
	o := opened{close: func() {}}
	defer func() { o.close() }()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		answer, err := o.answer(words)
		switch {
		case errors.Is(err, errUnsupported):
			answer = "no " + err.Error()
		case err != nil:
			answer = "error " + err.Error()
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (o *opened) answer(words []string) (string, error) {
	if len(words) > 0 && words[0] == "open" {
		c, err := ParseCase(words[1:])
		if err != nil {
			return "", err
		}
		o.close()
		*o = opened{close: func() {}}
		runtime.GC() // the last case's buffers, so that no collection falls into the measurement
		debug.FreeOSMemory()
		next, err := openSluice(c)
		if err != nil {
			return "", err
		}
		*o = next
		o.call()
		return "ok", nil
	}
	var reps, ms int
	if _, err := fmt.Sscanf(strings.Join(words, " "), "run %d %d", &reps, &ms); err != nil {
		return "", err
	}
	var answer strings.Builder
	answer.WriteString("times")
	for _, t := range sample(o.call, reps, time.Duration(ms)*time.Millisecond) {
		fmt.Fprintf(&answer, " %.6g", t)
	}
	return answer.String(), nil
}

// As in the other peers: what is called before the first call that counts, and
// between two looks at the clock.
const (
	warmUp    = 20 * time.Millisecond
	oneSample = 200 * time.Microsecond
)

// sample warms up, then calls until so much time has passed and there are reps
// samples, and returns the nanoseconds of a call.
func sample(call func(), reps int, long time.Duration) (times []float64) {
	batch := func(n int) time.Duration {
		start := time.Now()
		for range n {
			call()
		}
		return max(1, time.Since(start))
	}
	fastest := time.Duration(math.MaxInt64)
	for n, sum := 1, time.Duration(0); sum < warmUp; n *= 2 {
		t := batch(n)
		sum += t
		fastest = min(fastest, max(1, t/time.Duration(n)))
	}
	n := max(1, int(oneSample/fastest))
	for sum := time.Duration(0); sum < long || len(times) < reps; {
		t := batch(n)
		sum += t
		times = append(times, float64(t)/float64(n))
	}
	return times
}

// tasks make a case ready on a team and return what is timed.
var tasks = map[string]func(Case, *nn.Team) (func(), error){
	"train": trainLayers, "infer": inferLayers, "stream": stepStream, "step": stepTraining,
}

func openSluice(c Case) (opened, error) {
	task, ok := tasks[c.Task]
	if !ok {
		return opened{}, fmt.Errorf("%w: no such task", errUnsupported)
	}
	team := nn.NewTeam(c.Threads)
	call, err := task(c, team)
	if err != nil {
		team.Close()
		return opened{}, err
	}
	return opened{call, team.Close}, nil
}

// config is the layers of a case, with the two biases that PyTorch has.
func config(c Case) rnn.Config {
	cfg := rnn.Config{Input: c.X, Hidden: c.H, Layers: c.L, Biases: 2, Direction: rnn.Forward}
	if c.D > 1 {
		cfg.Direction = rnn.Bidirectional
	}
	cell, reset, _ := strings.Cut(c.Cell, "-")
	cfg.Cell, cfg.Reset = cell, rnn.Reset(reset)
	return cfg
}

func newLayers(c Case) (*rnn.Network, error) {
	net, err := rnn.New(config(c))
	if err != nil {
		return nil, err
	}
	return net, net.Init(rnn.Init{}, 1)
}

// values are n floats in ±1.
func values(n int) []float32 {
	x := make([]float32, n)
	nn.Uniform(x, 1, rand.NewPCG(1, 2))
	return x
}

// trainLayers packs what the last update changed, runs forward, and back with
// the gradients of the input and of all parameters.
func trainLayers(c Case, team *nn.Team) (func(), error) {
	net, err := newLayers(c)
	if err != nil {
		return nil, err
	}
	rows, out := c.T*c.B, net.OutputSize()
	x := rnn.Sequence{T: c.T, B: c.B, F: c.X, Data: values(rows * c.X)}
	y, dy, dx := make([]float32, rows*out), values(rows*out), make([]float32, rows*c.X)
	grad := make([]float32, net.Size())
	packed := net.Pack()
	runner, tape := rnn.NewRunner(packed, team), new(rnn.Tape)
	return func() {
		net.Repack(packed)
		runner.Forward(y, x, nil, tape)
		team.Clear(grad)
		runner.Backward(grad, dx, dy, nil, tape)
	}, nil
}

func inferLayers(c Case, team *nn.Team) (func(), error) {
	net, err := newLayers(c)
	if err != nil {
		return nil, err
	}
	rows := c.T * c.B
	x := rnn.Sequence{T: c.T, B: c.B, F: c.X, Data: values(rows * c.X)}
	y := make([]float32, rows*net.OutputSize())
	runner := rnn.NewRunner(net.Pack(), team)
	return func() { runner.Forward(y, x, nil, nil) }, nil
}

// stepStream runs one step of one stream, from the state that it was left in.
// Weights stored as anything else would be packed so here.
func stepStream(c Case, team *nn.Team) (func(), error) {
	if c.Weights != "f32" {
		return nil, fmt.Errorf("%w: weights %s", errUnsupported, c.Weights)
	}
	net, err := newLayers(c)
	if err != nil {
		return nil, err
	}
	x := rnn.Sequence{T: 1, B: 1, F: c.X, Data: values(c.X)}
	y, state, rows := make([]float32, c.H), make([]float32, net.StateSize()), []int32{0}
	runner := rnn.NewRunner(net.Pack(), team)
	return func() { runner.Step(y, x, state, rows) }, nil
}

// stepTraining is the update of package train.
func stepTraining(c Case, team *nn.Team) (func(), error) {
	var text strings.Builder
	for i := range c.V {
		text.WriteRune(rune('一' + i))
	}
	vocab, err := data.BuildVocab(text.String(), data.VocabOptions{})
	if err != nil {
		return nil, err
	}
	m, err := model.New(model.Spec{Task: model.LM, RNN: config(c)}, vocab)
	if err != nil {
		return nil, err
	}
	if err := m.Init(rnn.Init{}, 1); err != nil {
		return nil, err
	}
	var optimizer optim.Optimizer = optim.NewSGD(len(m.Params), 0)
	if c.Optimizer == "adam" {
		optimizer = optim.NewAdam(len(m.Params), 0.9, 0.999, 1e-8)
	}
	packed := m.Pack()
	runner := model.NewRunner(packed, team)
	grad, state := make([]float32, len(m.Params)), make([]float32, c.B*packed.StateSize())
	batch := model.Batch{T: c.T, B: c.B, IDs: symbols(c), Targets: symbols(c)}
	return func() {
		team.Clear(grad)
		runner.Gradient(grad, batch, state, nil)
		optim.ClipNorm(team, grad, c.Clip)
		optimizer.Update(team, m.Params, grad, c.LR)
		m.Repack(packed)
	}, nil
}

// symbols are a minibatch's, at random.
func symbols(c Case) []int32 {
	ids := make([]int32, c.T*c.B)
	for i := range ids {
		ids[i] = rand.Int32N(int32(c.V))
	}
	return ids
}
