package main

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"sluice/model"
	"sluice/train"
)

// fits is the error of a run on so many steps × rows at a time that this machine
// has no memory for: better than to be killed in the middle, or to die of it. So is
// one of a model that cannot be, which is found here before anything is written.
func fits(c train.Config, names model.Names, tokens int) error {
	size, err := model.Size(c.Model, names)
	if err != nil {
		return err
	}
	v, outputs, stack := 0, len(names.Labels), c.Model.RNN
	if names.Vocab != nil {
		v = names.Vocab.Size()
	}
	if c.Model.Task == model.LM {
		outputs = widest(v, c.Model.Cutoffs)
	}
	parameters := float64(size)
	packed := parameters // what products multiply, in panels
	if !c.Model.Tied {
		packed -= float64(v) * float64(c.Model.Embed)
	}
	need := parameters*(3+moments(c)) + 2*packed // their own, gradient, best; and transposed
	if c.Precision == train.BF16 {
		need += packed // for scores
	}
	const perUnit = 12 // of a unit's step: gates, states, their gradients
	rows := float64(tokens)
	need += rows * (perUnit*float64(stack.Hidden)*float64(stack.Layers)*float64(stack.Directions()) + 2*float64(c.Model.Embed))
	need += logits(rows, outputs)
	if need, have := 4*need, memory(); need > have {
		return fmt.Errorf("a model of %.3g parameters, trained on %.3g symbols at a time, needs about %.3g GB of memory, and there are %.3g: want a smaller model (--hidden, --layers) or fewer symbols at a time",
			parameters, rows, need/1e9, have/1e9)
	}
	return nil
}

// moments is how many vectors as long as the parameters the optimizer keeps.
func moments(c train.Config) (n float64) {
	switch {
	case c.Optimizer.Kind == "adam":
		n = 2
	case c.Optimizer.Momentum > 0:
		n = 1
	}
	if c.Average > 0 {
		n += 2
	}
	return n
}

// widest is the largest of the softmaxes that a head over v symbols is made of.
func widest(v int, cutoffs []int) int {
	if len(cutoffs) == 0 {
		return v
	}
	most := cutoffs[0] + len(cutoffs)
	for i, first := range cutoffs {
		last := v
		if i+1 < len(cutoffs) {
			last = cutoffs[i+1]
		}
		most = max(most, last-first)
	}
	return most
}

// logits are those that exist at a time: see nn.SoftmaxLoss.
func logits(rows float64, v int) float64 {
	const most, span = 8 << 20, 256
	return min(rows*float64(v), max(most, span*float64(v)))
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
