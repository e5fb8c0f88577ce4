package kernel

import (
	"os"
	"testing"
)

// wantLevel is the variable by which whoever turns features off, with GODEBUG
// or a build tag, says which implementation must run.
const wantLevel = "SLUICE_WANT_LEVEL"

// A test of an implementation that was not chosen would test another one.
func TestLevelAsWanted(t *testing.T) {
	want := os.Getenv(wantLevel)
	if want == "" {
		t.Skipf("%s says nothing", wantLevel)
	}
	if got := InUse().String(); got != want {
		t.Errorf("%v runs, %s=%s", got, wantLevel, want)
	}
}

func TestUse(t *testing.T) {
	before := InUse()
	defer Use(before)
	levels := Levels()
	if levels[0] != Generic || levels[len(levels)-1] != before {
		t.Errorf("levels %v, in use %v: want the last", levels, before)
	}
	for _, l := range levels {
		Use(l)
		if InUse() != l {
			t.Errorf("Use(%v): %v runs", l, InUse())
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a level that this processor lacks: no panic")
		}
	}()
	Use(levels[len(levels)-1] + 1)
}
