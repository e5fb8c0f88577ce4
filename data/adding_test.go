package data

import (
	"math"
	"slices"
	"testing"
)

func adding(t *testing.T, steps int, seed uint64) *AddingSampler {
	t.Helper()
	s, err := NewAddingSampler(Adding{Steps: steps, Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The sum is that of the two values marked, one mark in each half.
func TestAdding(t *testing.T) {
	const batch = 200
	for _, steps := range []int{2, 3, 7, 100} {
		a := adding(t, steps, 1)
		x, y := make([]float32, steps*batch*2), make([]float32, batch)
		marked := make([]bool, steps)
		a.Train(x, y, 0)
		for b := range batch {
			sum, marks := float32(0), [2]int{}
			for s := range steps {
				value, mark := x[(s*batch+b)*2], x[(s*batch+b)*2+1]
				if !(value >= 0 && value < 1) || mark != 0 && mark != 1 {
					t.Fatalf("%d steps, row %d: value %v, mark %v", steps, b, value, mark)
				}
				sum += mark * value
				if mark == 1 {
					marked[s] = true
					marks[min(1, s/(steps/2))]++
				}
			}
			if y[b] != sum || marks != [2]int{1, 1} {
				t.Fatalf("%d steps, row %d: %v, want %v; marks in the halves %v", steps, b, y[b], sum, marks)
			}
		}
		if steps <= 7 && slices.Contains(marked, false) {
			t.Errorf("%d steps: %v are ever marked", steps, marked)
		}
	}
}

func TestAddingVariance(t *testing.T) {
	const n = 50_000
	x, y := make([]float32, 4*n), make([]float32, n)
	adding(t, 2, 3).Train(x, y, 0)
	mse := 0.0
	for _, v := range y {
		mse += (float64(v) - 1) * (float64(v) - 1) / n
	}
	if math.Abs(mse-AddingVariance) > 0.003 {
		t.Errorf("who says 1 has a mean squared error of %v, want %v", mse, AddingVariance)
	}
}

// An example depends on its number alone, so any place can be gone to.
func TestAddingExamplesAreNumbered(t *testing.T) {
	a := adding(t, 9, 5)
	x, y := make([]float32, 9*40*2), make([]float32, 40)
	a.Train(x, y, 1000)
	row := func(x []float32, batch, b int) (r []float32) {
		for s := range 9 {
			r = append(r, x[(s*batch+b)*2:][:2]...)
		}
		return r
	}
	for _, batch := range []int{1, 7, 8} {
		x2, y2 := make([]float32, 9*batch*2), make([]float32, batch)
		a.Train(x2, y2, 1013)
		for b := range batch {
			if !slices.Equal(row(x2, batch, b), row(x, 40, 13+b)) || y2[b] != y[13+b] {
				t.Errorf("example %d differs in a minibatch of %d", 1013+b, batch)
			}
		}
	}
	for name, f := range map[string]func(x, y []float32){
		"held out":        func(x, y []float32) { a.HeldOut(x, y, 1000) },
		"of another seed": func(x, y []float32) { adding(t, 9, 6).Train(x, y, 1000) },
		"elsewhere":       func(x, y []float32) { a.Train(x, y, 1040) },
	} {
		x2, y2 := make([]float32, len(x)), make([]float32, len(y))
		f(x2, y2)
		for b := range 40 {
			if y2[b] == y[b] {
				t.Errorf("example %d %s has the same sum", b, name)
			}
		}
	}
}

func TestAddingErrors(t *testing.T) {
	_, err := NewAddingSampler(Adding{Steps: 1})
	wantError(t, err, "data: adding problem of 1 steps: want 2 to 1048576")
	defer func() {
		if got, want := recover(), "data: AddingSampler: 11 inputs, want (3, 2, 2)"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	adding(t, 3, 0).Train(make([]float32, 11), make([]float32, 2), 0)
}

func TestAddingAllocatesNothing(t *testing.T) {
	a := adding(t, 100, 0)
	x, y := make([]float32, 100*20*2), make([]float32, 20)
	first := uint64(0)
	if n := testing.AllocsPerRun(10, func() {
		a.Train(x, y, first)
		a.HeldOut(x, y, first)
		first += 20
	}); n != 0 {
		t.Errorf("%v allocations a minibatch, want 0", n)
	}
}
