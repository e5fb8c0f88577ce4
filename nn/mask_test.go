package nn

import (
	"slices"
	"testing"
)

// Whatever is dropped of a row is so whatever rows stand beside it, and locked it
// is the same at each step.
func TestMask(t *testing.T) {
	const T, B, width = 5, 4, 500 // more than one thread masks
	key, team := Key{Seed: 1, Step: 2, Layer: 3}, NewTeam(3)
	defer team.Close()
	ones := slices.Repeat([]float32{1}, T*B*width)
	for _, locked := range []bool{false, true} {
		var all, few Mask
		y, z := make([]float32, T*B*width), make([]float32, T*2*width)
		all.Apply(team, y, ones, width, B, 0.5, key, locked)
		few.Apply(team, z, ones[:len(z)], width, 2, 0.5, key, locked)
		for step := range T {
			if !slices.Equal(y[step*B*width:][:2*width], z[step*2*width:][:2*width]) {
				t.Errorf("locked %v, step %d: two rows alone have another mask", locked, step)
			}
			if repeats := slices.Equal(y[step*B*width:][:width], y[:width]); repeats != (locked || step == 0) {
				t.Errorf("locked %v: the mask of step %d is that of step 0: %v", locked, step, repeats)
			}
			if slices.Equal(y[step*B*width:][:width], y[(step*B+1)*width:][:width]) {
				t.Error("two rows have one mask")
			}
		}
		again := slices.Clone(ones)
		all.Again(team, again, width)
		if !slices.Equal(again, y) {
			t.Errorf("locked %v: another mask on the way back", locked)
		}
	}
}
