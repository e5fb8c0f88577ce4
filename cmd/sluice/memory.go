package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"sluice/rnn"
	"sluice/train"
)

// fits is the error of a run that this machine has no memory for: better than
// to be killed in the middle, or to die of it.
func fits(c train.Config, vocab int) error {
	stack := c.Model.RNN
	if stack.Input = c.Model.Embed; stack.Input == 0 {
		stack.Input = vocab
	}
	net, err := rnn.Plan(stack)
	if err != nil {
		return err
	}
	v, h, l := float64(vocab), float64(stack.Hidden), float64(stack.Layers)
	parameters := float64(net.Size()) + v*(float64(c.Model.Embed)+h+1)
	rows := float64(c.Batches.Batch) * float64(c.Batches.Steps)
	copies := 7.0      // of parameters: their own, gradient, two moments, packed twice, best
	const perUnit = 12 // of a unit's step: gates, states, their gradients
	if c.Precision == train.BF16 {
		copies++ // packed for scores
	}
	need := 4 * (copies*parameters + rows*(v+perUnit*h*l+2*float64(stack.Input)))
	if have := memory(); need > have {
		return fmt.Errorf("a model of %.3g parameters, trained on %.3g symbols at a time, needs about %.3g GB of memory, and there are %.3g: want a smaller --hidden, --layers, --batch or --steps",
			parameters, rows, need/1e9, have/1e9)
	}
	return nil
}

// memory is how many bytes this machine, or its container, may still give, as
// far as it can be known.
func memory() float64 {
	free := math.Exp2(40)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if value, ok := strings.CutPrefix(line, "MemAvailable:"); ok {
				if kB, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64); err == nil {
					free = kB * 1024
				}
			}
		}
	}
	if b, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64); err == nil {
			free = min(free, limit)
		}
	}
	return free
}
