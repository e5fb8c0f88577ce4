package picture

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"sluice/look"
	"sluice/rnn"
)

// both is a trace of a bidirectional stack of lstm.
func both(steps, units, layers int) *look.Trace {
	t := trace(steps, units, 2*layers, "i", "f", "g", "o", "c", "h")
	t.Nats = nil
	for l, layer := range look.Layers(rnn.Config{Layers: layers, Direction: rnn.Bidirectional}) {
		t.Layers[l].Direction = layer.Direction
	}
	return t
}

func sentence() (words, tags []string) {
	return strings.Fields("On Wednesday the engineers of North Bridge Works opened a lock near Utrecht"),
		strings.Fields("O O O O O B-ORG I-ORG I-ORG O O O O B-LOC")
}

func taggedGates() map[string]Picture {
	words, tags := sentence()
	letters, many := strings.Split("thelockwasclosedonmonday", ""), both(4*len(words), 4, 1)
	numbers := trace(144, 6, 1, "h")
	numbers.Nats = nil
	gaps := wave(0, 144, 12)
	gaps[0], gaps[40], gaps[41], gaps[43] = 552, math.NaN(), math.Inf(-1), math.NaN()
	return map[string]Picture{
		"gates, tags":      &Gates{Title: "tags", Cell: "lstm", Unit: "word", Symbols: words, Tags: tags, Trace: both(len(words), 5, 2)},
		"gates, many tags": &Gates{Title: "tags", Cell: "lstm", Unit: "word", Symbols: slices.Repeat(words, 4), Tags: slices.Repeat(tags, 4), Trace: many},
		"gates, letters":   &Gates{Title: "tags", Cell: "lstm", Unit: "character", Symbols: letters, Tags: slices.Repeat([]string{"B", "I", ""}, 8), Trace: both(24, 5, 1)},
		"gates, nothing":   &Gates{Title: "no words", Cell: "lstm", Unit: "word", Symbols: []string{"", ""}, Tags: []string{"", "\x00"}, Trace: both(2, 5, 1)},
		"gates, numbers":   &Gates{Title: "numbers", Cell: "rnn", Numbers: gaps, Trace: numbers},
		"gates, number":    &Gates{Title: "number", Cell: "rnn", Numbers: []float64{0}, Trace: trace(1, 1, 1, "h")},
		"gates, pixels":    &Gates{Title: "numbers", Cell: "rnn", Numbers: wave(0, MaxSteps, 99), Trace: trace(MaxSteps, 3, 1, "h")},
	}
}

// Words stand beside each other while there is room, and else upright; tags too.
func TestWordsFit(t *testing.T) {
	words, tags := sentence()
	for _, test := range []struct {
		times      int
		words      []string
		tags       []string
		up, tagsUp bool
	}{
		{1, words[:12], tags[:12], false, false},
		{4, words, tags, true, true},
		{1, words, nil, true, false}, // as a language model's
		{2, []string{"a", "b"}, []string{"B-LOC", "O"}, false, false},
		{50, []string{"a", "b"}, []string{"B-LOC", "O"}, false, true},
		{50, []string{"a", "b"}, []string{"B", "O"}, false, false},
	} {
		g := &Gates{Unit: "word", Symbols: slices.Repeat(test.words, test.times), Trace: both(1, 1, 1)}
		if test.tags != nil {
			g.Tags = slices.Repeat(test.tags, test.times)
		}
		p := g.plan()
		if p.up != test.up || p.tagsUp != test.tagsUp {
			t.Errorf("%d words: upright %v, tags upright %v, want %v, %v", len(g.Symbols), p.up, p.tagsUp, test.up, test.tagsUp)
		}
		if wide := widest(g.Symbols, p.font); !p.up && wide > p.column {
			t.Errorf("%d words in columns of %d pixels: one is %d wide", len(g.Symbols), p.column, wide)
		}
		if (p.up || p.tagsUp) && p.column < 24 {
			t.Errorf("%d words upright in columns of %d pixels", len(g.Symbols), p.column)
		}
		if wide := widest(g.Tags, small); !p.tagsUp && wide > p.column {
			t.Errorf("%d tags in columns of %d pixels: one is %d wide", len(g.Tags), p.column, wide)
		}
	}
}

func TestDirectionsNPZ(t *testing.T) {
	words, tags := sentence()
	g := &Gates{Cell: "lstm", Unit: "word", Symbols: words, Tags: tags, Numbers: make([]float64, len(words)), Trace: both(len(words), 3, 2)}
	b := written(t, ".npz", g)
	r, err := npz.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"symbols.npy", "tags.npy", "numbers.npy"}
	for _, prefix := range []string{"l0", "l0_reverse", "l1", "l1_reverse"} {
		for _, name := range []string{"order", "i", "f", "g", "o", "c", "h"} {
			want = append(want, prefix+"."+name+".npy")
		}
	}
	if keys := r.Keys(); !slices.Equal(keys, want) {
		t.Errorf("arrays %v, want %v", keys, want)
	}
}

func TestDirectionsRefused(t *testing.T) {
	unread := func(c rnn.Config) *Gates {
		return &Gates{Unit: "word", Symbols: []string{"word"}, Trace: &look.Trace{Layers: look.Layers(c)}}
	}
	for _, test := range []struct {
		g    *Gates
		want string
	}{
		{unread(rnn.Config{Layers: MaxLayers, Direction: rnn.Bidirectional}), ""},
		{unread(rnn.Config{Layers: MaxLayers, Direction: rnn.Backward}), ""},
		{unread(rnn.Config{Layers: MaxLayers + 1, Direction: rnn.Bidirectional}), "picture: 9 layers: a picture has room for 8, .npz for them all"},
		{&Gates{Numbers: make([]float64, MaxSteps+1), Trace: trace(1, 1, 1, "h")}, "picture: 1001 steps: a picture has room for 1000, want fewer or .npz"},
	} {
		if err := test.g.Drawable(); err == nil && test.want != "" || err != nil && err.Error() != test.want {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}
