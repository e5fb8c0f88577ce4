package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"sluice/data"
	"sluice/internal/measure"
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
	work  float64 // of a call, of a limit: operations or bytes
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
		if o.work > 0 {
			return fmt.Sprintf("ok work=%g", o.work), nil
		}
		return "ok", nil
	}
	var reps, ms int
	if _, err := fmt.Sscanf(strings.Join(words, " "), "run %d %d", &reps, &ms); err != nil {
		return "", err
	}
	var answer strings.Builder
	answer.WriteString("times")
	for _, t := range measure.Sample(context.Background(), o.call, reps, time.Duration(ms)*time.Millisecond) {
		fmt.Fprintf(&answer, " %.6g", t)
	}
	return answer.String(), nil
}

// tasks make a case ready and return what is timed.
var tasks = map[string]func(Case) (opened, error){
	"fma":       openFMA,
	"bandwidth": openRead,
	"train":     onTeam(func(c Case, team *nn.Team) (func(), error) { return c.layers().Train(team) }),
	"infer":     onTeam(func(c Case, team *nn.Team) (func(), error) { return c.layers().Infer(team) }),
	"stream":    onTeam(func(c Case, team *nn.Team) (func(), error) { return c.layers().Stream(team) }),
	"step":      onTeam(stepTraining),
}

func openSluice(c Case) (opened, error) {
	task, ok := tasks[c.Task]
	if !ok {
		return opened{}, fmt.Errorf("%w: no such task", errUnsupported)
	}
	return task(c)
}

func openFMA(c Case) (opened, error) {
	crew := measure.NewCrew(c.Threads)
	call, work := measure.FMA(crew)
	return opened{call, crew.Close, work}, nil
}

func openRead(c Case) (opened, error) {
	crew := measure.NewCrew(c.Threads)
	call, work := measure.Read(crew, c.Bytes/c.Threads)
	return opened{call, crew.Close, work}, nil
}

// onTeam gives a task its threads.
func onTeam(ready func(Case, *nn.Team) (func(), error)) func(Case) (opened, error) {
	return func(c Case) (opened, error) {
		team := nn.NewTeam(c.Threads)
		call, err := ready(c, team)
		if err != nil {
			team.Close()
			return opened{}, err
		}
		return opened{call, team.Close, 0}, nil
	}
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
	m, err := model.New(model.Spec{Task: model.LM, RNN: c.layers().Config()}, model.Names{Vocab: vocab})
	if err != nil {
		return nil, err
	}
	if err := m.Init(rnn.Init{}, 1); err != nil {
		return nil, err
	}
	rule := optim.Rule{Kind: "sgd"}
	if c.Optimizer == "adam" {
		rule = optim.Rule{Kind: "adam", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
	}
	t := measure.Training{Optimizer: rule.New(len(m.Params)), Rate: c.LR, Clip: c.Clip}
	return measure.Update(m, measure.RandomBatch(c.T, c.B, c.V), t, team), nil
}
