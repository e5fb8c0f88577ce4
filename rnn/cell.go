package rnn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"sluice/nn"
)

// A Cell is a kind of recurrence: how a state and an input make the next
// state. The stack around it makes the product of the input, x·Wx + bx, and
// sees to lengths, directions, layers and dropout; a cell sees rows of one
// step. Register makes it known by a name.
type Cell interface {
	// Validate checks the fields of a Config that are the cell's own.
	Validate(c Config) error
	// Layout says what the cell holds and keeps under a valid Config.
	Layout(c Config) Layout
	// New makes the recurrence of one layer and direction; Pack fills it.
	New(c Config) Recurrence
}

// Layout is what a cell holds and keeps. A vector is H floats, but the first of the
// state HSize.
type Layout struct {
	Prefix  string      // before its tensors' names in a file, where PyTorch has another function under those names
	Gates   []string    // the G vectors of the input's product: Wx is (G·H, X), bx (G·H)
	State   []string    // the S vectors of a stream's state; the first is the output
	Tape    []string    // the K vectors that a step leaves for the step back and for whoever looks inside
	Back    int         // vectors that a step back leaves for Gradient beside DA
	Tensors []nn.Tensor // its own parameters, such as weight_hh (G·H, H): names and shapes
	Zeros   []nn.Tensor // tensors a file bears as zeros, to have the names that PyTorch reads
}

// A Recurrence is the cell of one layer and direction, its weights packed.
// After Pack its methods only read it: many may run at once.
type Recurrence interface {
	// Pack takes copies of the tensors, in the order of Layout.Tensors.
	Pack(tensors [][]float32)
	// Forward sets Next and Tape from A and Prev. It may spend A.
	Forward(s *Step)
	// Backward sets DPrev, DA and Back from DNext, Prev, Tape and the Next of
	// Forward, without zoneout; A is gone. What they held before is anything. It may spend DNext.
	Backward(s *Step)
	// Gradient adds the gradients of the tensors to grads, in the order of
	// Layout.Tensors. The N rows of s are those of all steps of a sequence
	// one after another, and have Prev, Tape, DA and Back; rows past a length
	// have zeros in DA and Back.
	Gradient(team *nn.Team, grads [][]float32, s *Step)
}

// Step is N rows of one step, at least one. No two slices overlap. A row's results must not
// depend on the other rows.
type Step struct {
	N    int
	A    []float32 // (N, G·H) x·Wx + bx
	Prev []float32 // (N, S·H) the state before
	Next []float32 // (N, S·H) the state after
	Tape []float32 // (N, K·H)

	DNext []float32 // (N, S·H)
	DPrev []float32 // (N, S·H)
	DA    []float32 // (N, G·H)
	Back  []float32 // (N, Layout.Back·H)
}

var registry = struct {
	sync.RWMutex
	cells map[string]kind
}{cells: map[string]kind{"rnn": vanilla{}, "gru": gru{}, "lstm": lstm{}}}

// Register makes a cell known by a name, for every Config and every model file
// from now on. It panics if the name is empty or taken.
func Register(name string, cell Cell) {
	registry.Lock()
	defer registry.Unlock()
	if _, taken := registry.cells[name]; taken || name == "" {
		panic(fmt.Sprintf("rnn: Register: the name %q is empty or taken", name))
	}
	registry.cells[name] = registered{cell}
}

// Cells are the names of the cells known, sorted.
func Cells() []string {
	registry.RLock()
	defer registry.RUnlock()
	return slices.Sorted(maps.Keys(registry.cells))
}

func lookup(name string) (kind, error) {
	registry.RLock()
	cell, ok := registry.cells[name]
	registry.RUnlock()
	if !ok {
		return nil, fmt.Errorf("rnn: cell %q: want %s", name, strings.Join(Cells(), ", "))
	}
	return cell, nil
}

// recurrent is the layout's tensors of a cell with Wh (G·H, HSize) and, of two
// biases, bh (G·H), and what else its Config asks for.
func recurrent(c Config, l Layout) Layout {
	rows := len(l.Gates) * c.Hidden
	bias := nn.Tensor{Name: "bias_hh", Shape: []int{rows}}
	l.Tensors = []nn.Tensor{{Name: "weight_hh", Shape: []int{rows, c.HSize()}}}
	if c.Biases == 2 {
		l.Tensors = append(l.Tensors, bias)
	} else {
		l.Zeros = []nn.Tensor{bias}
	}
	if c.Projection > 0 {
		l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_hr", Shape: []int{c.Projection, c.Hidden}})
	}
	if c.Peephole {
		l.Tensors = append(l.Tensors, nn.Tensor{Name: "weight_peephole", Shape: []int{(len(l.Gates) - 1) * c.Hidden}})
		l.Prefix, l.Zeros = l.Prefix+"peephole.", nil
	}
	if c.plain() {
		l = plainLayout(c, l)
	}
	return l
}
