package main

import (
	"testing"

	"sluice/train"
)

// What a run file has of the flag is read back as the same: where a run ends early,
// its options are compared with those to go on with.
func TestCutoffsFlag(t *testing.T) {
	for _, c := range []struct{ text, before, after string }{
		{"none", "none", "none"},
		{"auto", "auto", "190,510"},
		{"20, 300", "20,300", "20,300"},
	} {
		config, err := train.Preset("default")
		if err != nil {
			t.Fatal(err)
		}
		var f cutoffsFlag
		if err := f.UnmarshalText([]byte(c.text)); err != nil {
			t.Fatal(err)
		}
		o := f.option(&config.Model.Cutoffs)
		o.take()
		if got := o.value(); got != c.before || !o.given {
			t.Errorf("%s: %v before the text is read, want %s", c.text, got, c.before)
		}
		if err := f.choose(&config, 1000); err != nil {
			t.Fatal(err)
		}
		if got := o.value(); got != c.after {
			t.Errorf("%s: %v after, want %s", c.text, got, c.after)
		}
		var again cutoffsFlag
		if err := again.UnmarshalText([]byte(c.after)); err != nil || again.auto || again.option(&again.at).value() != c.after {
			t.Errorf("%s: %v is read back as %v, error %v", c.text, c.after, again, err)
		}
	}
	var none *cutoffsFlag
	if o := none.option(new([]int)); o.given || o.value() != "none" {
		t.Errorf("without the flag: given %v, %v", o.given, o.value())
	}
	for _, text := range []string{"", "x", "1,", "1 2", "auto,1"} {
		if err := new(cutoffsFlag).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// The softmaxes of an adaptive head are the head with an output for each cluster,
// and the clusters.
func TestWidest(t *testing.T) {
	for _, c := range []struct {
		cutoffs []int
		want    int
	}{{nil, 100}, {[]int{90}, 91}, {[]int{10, 70}, 60}, {[]int{10, 20}, 80}} {
		if got := widest(100, c.cutoffs); got != c.want {
			t.Errorf("%v: %d, want %d", c.cutoffs, got, c.want)
		}
	}
}
