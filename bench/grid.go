package main

import (
	"fmt"
	"strconv"

	"sluice/internal/measure"
)

// Group is the cases of one table.
type Group struct {
	Title, Note string
	Heads       []string            // of the columns that say which case
	Columns     func(Case) []string // and what stands in them
	Micro       bool                // times are in microseconds, not milliseconds
	Cases       []Case
}

type shape struct{ B, T, H int }

var (
	cells  = []string{"lstm", "gru-after", "gru-before"}
	shapes = []shape{{32, 35, 256}, {20, 35, 650}, {64, 50, 128}, {128, 25, 512}, {1, 1000, 256}, {16, 100, 1024}}
	stacks = []struct{ L, D int }{{2, 1}, {1, 2}, {2, 2}}
	// steps are character models: that of Dive into Deep Learning, and one of
	// the size usual for tinyshakespeare.
	steps = []Case{
		{Task: "step", B: 32, T: 35, H: 256, L: 1, V: 1027, Optimizer: "sgd", LR: 0.1, Clip: 1},
		{Task: "step", B: 64, T: 64, H: 512, L: 2, V: 65, Optimizer: "adam", LR: 1e-4, Clip: 5},
	}
	streams = []int{64, 128, 256, 512, 1024}
	weights = []string{"f32", "bf16", "int8"}
)

// Groups is the grid. The quick one has a case of each kind.
func Groups(threads []int, quick bool) []Group {
	shapes, steps, streams := shapes, steps, streams
	if quick {
		shapes, steps, streams = shapes[:1], steps[:1], []int{256}
	}
	groups := []Group{machine(threads)}
	for _, task := range []string{"train", "infer"} {
		single, stacked := layers(task), layers(task).stacked()
		for _, s := range shapes {
			for _, cell := range cells {
				c := Case{Task: task, Cell: cell, B: s.B, T: s.T, X: s.H, H: s.H, L: 1, D: 1}
				single.add(threads, c)
				if s.H == 1024 || cell == "gru-before" { // an hour for one shape; no peer
					continue
				}
				for _, stack := range stacks {
					c.L, c.D = stack.L, stack.D
					stacked.add(threads, c)
				}
			}
		}
		groups = append(groups, single, stacked)
	}
	return append(groups, mixed(threads, shapes), trainingSteps(threads, steps), oneStream(threads, streams))
}

// mixed is training with products of bf16, of which peers have nothing.
func mixed(threads []int, shapes []shape) Group {
	g := layers("train")
	g.Title += " with bf16 products"
	g.Note = "As above, but our products are of bf16. Peers, and the limit, are those of float32."
	for _, s := range shapes {
		for _, cell := range cells {
			if s.B > 1 {
				g.add(threads, Case{Task: "train", Cell: cell, B: s.B, T: s.T, X: s.H, H: s.H, L: 1, D: 1, Weights: "mixed"})
			}
		}
	}
	return g
}

// add puts a case in the group, once for each number of threads.
func (g *Group) add(threads []int, c Case) {
	for _, n := range threads {
		c.Threads = n
		g.Cases = append(g.Cases, c)
	}
}

func layers(task string) Group {
	g := Group{Title: "Layers, inference", Note: "Weights packed before."}
	if task == "train" {
		g.Title = "Layers, training"
		g.Note = "Forward, backward with the gradients of the input and of all weights, from weights that changed: packing them counts, but for the column that says otherwise."
	}
	g.Note += " The limit is the multiply-add rate."
	g.Heads = []string{"cell", "B×T×H", "threads"}
	g.Columns = func(c Case) []string {
		return []string{c.Cell, fmt.Sprintf("%d×%d×%d", c.B, c.T, c.H), strconv.Itoa(c.Threads)}
	}
	return g
}

// stacked is the group's likeness for stacks of layers and two directions.
func (g Group) stacked() Group {
	g.Title += ": stacks and directions"
	columns := g.Columns
	g.Heads = append([]string{"L×D"}, g.Heads...)
	g.Columns = func(c Case) []string {
		return append([]string{fmt.Sprintf("%d×%d", c.L, c.D)}, columns(c)...)
	}
	return g
}

func trainingSteps(threads []int, steps []Case) Group {
	g := Group{
		Title: "Whole training step",
		Note:  "A character model with one-hot inputs: forward, backward, clipping, update. The limit is the multiply-add rate where one-hot inputs are looked up.",
		Heads: []string{"cell", "V → L×H → V", "B×T", "optimizer", "threads"},
		Columns: func(c Case) []string {
			return []string{c.Cell, fmt.Sprintf("%d → %d×%d", c.V, c.L, c.H), fmt.Sprintf("%d×%d", c.B, c.T), c.Optimizer, strconv.Itoa(c.Threads)}
		},
	}
	for _, c := range steps {
		for _, c.Cell = range cells[:2] { // PyTorch has no other
			g.add(threads, c)
		}
	}
	return g
}

func oneStream(threads []int, widths []int) Group {
	g := Group{
		Title: "One stream, one step",
		Note:  "The limit is reading our weights once, at the speed of the cache that holds them. Peers have float32 weights, whatever ours are.",
		Heads: []string{"cell", "H", "weights", "threads"},
		Columns: func(c Case) []string {
			return []string{c.Cell, strconv.Itoa(c.H), c.Weights, strconv.Itoa(c.Threads)}
		},
		Micro: true,
	}
	for _, h := range widths {
		for _, cell := range cells[:2] {
			for _, w := range weights {
				g.add(threads, Case{Task: "stream", Cell: cell, B: 1, T: 1, X: h, H: h, L: 1, D: 1, Weights: w})
			}
		}
	}
	return g
}

// machine is the limits.
func machine(threads []int) Group {
	g := Group{Title: "The machine", Heads: []string{"limit", "threads"}}
	g.Columns = func(c Case) []string {
		what := "FP32 multiply-add, GFLOP/s"
		if c.Task == "bandwidth" {
			what = fmt.Sprintf("read %s a thread, GB/s", size(c.Bytes/c.Threads))
		}
		return []string{what, strconv.Itoa(c.Threads)}
	}
	g.add(threads, Case{Task: "fma"})
	for level := range measure.Memories(1) {
		for _, n := range threads {
			g.Cases = append(g.Cases, Case{Task: "bandwidth", Bytes: measure.Memories(n)[level].Bytes * n, Threads: n})
		}
	}
	return g
}

// size is a number of bytes for people.
func size(bytes int) string {
	if bytes >= 1<<20 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d KiB", bytes>>10)
}
