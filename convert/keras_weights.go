package convert

import (
	"fmt"
	"slices"

	"sluice/convert/internal/kerasfile"
	"sluice/rnn"
)

// guess completes the layers of a file of weights alone, as far as there is one way
// only: their classes by their arrays, and their order by their widths.
func (k *keras) guess(f *kerasfile.File) ([]kerasfile.Layer, error) {
	var first, stack, last []kerasfile.Layer
	for _, l := range f.Layers {
		k.classify(&l)
		switch l.Class {
		case "InputLayer", "Masking", "Embedding":
			first = append(first, l)
		case "SimpleRNN", "GRU", "LSTM", "Bidirectional":
			stack = append(stack, l)
		case "GlobalAveragePooling1D", "GlobalMaxPooling1D":
			last = slices.Insert(last, 0, l)
		case "Dense", "TimeDistributed":
			last = append(last, l)
		case "Activation", "Softmax", "": // without weights
		default:
			if !slices.Contains(trainingOnly, l.Class) {
				return nil, refuse(&l, "has no equal here, want Embedding, SimpleRNN, GRU, LSTM, Bidirectional, Dense, or no weights")
			}
		}
	}
	if f.Kind == kerasfile.Weights {
		var err error
		if stack, err = k.order(stack, first, last); err != nil {
			return nil, err
		}
	}
	return slices.Concat(first, stack, last), nil
}

// classify finds a layer's class by its arrays where the file does not say it, "" if
// there are none, and those of the layers inside of it.
func (k *keras) classify(l *kerasfile.Layer) {
	for i := range l.Inside {
		k.classify(&l.Inside[i])
	}
	if l.Class != "" || len(l.Arrays) == 0 {
		return
	}
	var recurrent []int
	for i := range l.Arrays {
		switch a := &l.Arrays[i]; a.Name {
		case "embeddings":
			l.Class = "Embedding"
			return
		case "recurrent_kernel":
			recurrent = a.Shape
		case "0": // of what is in a TimeDistributed: a Dense if its shapes fit one
			a.Name = "kernel"
		case "1":
			a.Name = "bias"
		}
	}
	if recurrent == nil {
		l.Class = "Dense"
		return
	}
	l.Class = "unknown"
	for class, c := range cells {
		if len(recurrent) == 2 && recurrent[1] == len(c.theirs)*recurrent[0] {
			l.Class = class
		}
	}
}

// ends are the widths that a recurrent layer reads and gives, 0 where its arrays are
// wrong.
func (k *keras) ends(l *kerasfile.Layer) (in, out int) {
	way, ways := l, 1
	if len(l.Inside) == 2 {
		way = &l.Inside[0]
		if k.o.Merge == "" || k.o.Merge == rnn.Concat {
			ways = 2
		}
	}
	for _, a := range way.Arrays {
		switch {
		case len(a.Shape) != 2:
		case a.Name == "kernel":
			in = a.Shape[0]
		case a.Name == "recurrent_kernel":
			out = ways * a.Shape[0]
		}
	}
	return in, out
}

// mostOrdered bounds the search for an order.
const mostOrdered = 64

// order puts recurrent layers in the one order in which each reads the width that the
// one before gives, and fits what is first and last. Those of one class are in order.
func (k *keras) order(layers, first, last []kerasfile.Layer) ([]kerasfile.Layer, error) {
	o := ordering{k: k, layers: layers, classes: map[string][]int{}, dead: map[string]bool{}}
	for i, l := range layers {
		if o.classes[l.Class] == nil {
			o.names = append(o.names, l.Class)
		}
		o.classes[l.Class] = append(o.classes[l.Class], i)
	}
	if len(o.names) < 2 {
		return layers, nil
	}
	start := 0
	for _, l := range first {
		if l.Class == "Embedding" && len(l.Arrays) == 1 && len(l.Arrays[0].Shape) == 2 {
			start = l.Arrays[0].Shape[1]
		}
	}
	for i := range last {
		if in, _ := k.ends(&last[i]); in > 0 {
			o.end = in
		}
	}
	if o.at = make([]int, len(o.names)); len(layers) <= mostOrdered {
		o.search(start)
	}
	if o.found != 1 {
		return nil, fmt.Errorf("convert: recurrent layers of classes %s: weights alone do not say their order, and not one alone fits their widths: want the model as .keras", list(o.names))
	}
	return o.best, nil
}

// ordering is a search for orders, until it has two.
type ordering struct {
	k       *keras
	layers  []kerasfile.Layer
	classes map[string][]int
	names   []string // of classes
	at      []int    // of each class: how many have their place
	placed  []kerasfile.Layer
	dead    map[string]bool // where there is no way on
	end     int             // the width that is read of the last layer, 0 for any
	found   int
	best    []kerasfile.Layer
}

// search places what is left after layers that give a width, 0 for none yet.
func (o *ordering) search(width int) {
	if len(o.placed) == len(o.layers) {
		if o.end > 0 && o.end != width {
			return
		}
		o.found++
		o.best = slices.Clone(o.placed)
		return
	}
	state := fmt.Sprint(o.at, width)
	if o.dead[state] {
		return
	}
	before := o.found
	for c, name := range o.names {
		if o.at[c] == len(o.classes[name]) || o.found > 1 {
			continue
		}
		l := o.layers[o.classes[name][o.at[c]]]
		in, out := o.k.ends(&l)
		if width > 0 && in != width {
			continue
		}
		o.at[c]++
		o.placed = append(o.placed, l)
		o.search(out)
		o.placed = o.placed[:len(o.placed)-1]
		o.at[c]--
	}
	if o.found == before {
		o.dead[state] = true
	}
}
