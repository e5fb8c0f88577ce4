package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sluice/model"
	"sluice/nn"
)

// around finds what stands before and after the recurrent layers.
func (f *finder) around(p *Parts, o Options) error {
	f.crf(p)
	first, last := p.Stack[0], p.Stack[len(p.Stack)-1]
	head, err := f.choose("head", o.Head, last.OutputSize(), headName, func(name string) bool {
		return o.Embed == "" && !f.hasBias(name) && embedName.MatchString(name)
	})
	if err != nil {
		return err
	}
	if head != "" {
		if p.Head = f.linear("head", head); o.Head == "" && !headName.MatchString(head) {
			p.note("%.80q is taken for the head, by its width", head)
		}
	}
	if o.Input != "" && o.Embed != "" && o.Embed != "none" {
		return fmt.Errorf("convert: embed %.80q beside input %.80q: a model reads symbols or numbers, want one of them", o.Embed, o.Input)
	}
	if o.Input != "" {
		input, err := f.choose("input", o.Input, 0, nil, nil)
		if err != nil {
			return err
		}
		p.Input = f.linear("input", input)
		return nil
	}
	if o.Embed == "none" {
		return nil
	}
	embed, err := f.choose("embed", o.Embed, first.Input, embedName, func(name string) bool {
		return name == head || f.hasBias(name) || !embedName.MatchString(name)
	})
	if err != nil {
		return err
	}
	if embed == "" {
		if o.Task == model.LM && head != "" && last.OutputSize() == first.Input && f.dict[head].shape[0] != first.Input {
			return fmt.Errorf("convert: no embedding: want embed %q if it is tied to the head", head)
		}
		return nil
	}
	w := nn.Tensor{Name: embed, Shape: f.dict[embed].shape}
	w.Data = f.values(embed)
	p.Embed, p.Symbols = &w, true
	f.from["embed.weight"] = embed
	return nil
}

// hasBias says whether a weight has a bias beside it.
func (f *finder) hasBias(name string) bool {
	_, ok := f.dict[biasOf(name)]
	return ok
}

// biasOf is the name of the bias beside a weight.
func biasOf(name string) string {
	stem, ok := strings.CutSuffix(name, "weight")
	if !ok {
		return name + ".bias"
	}
	return stem + "bias"
}

// choose finds a matrix by the name or prefix that is wanted, or by its width and
// then by its name. "" is none.
func (f *finder) choose(option, wanted string, width int, like *regexp.Regexp, not func(name string) bool) (string, error) {
	if wanted != "" {
		for _, name := range []string{wanted, strings.TrimSuffix(wanted, ".") + ".weight"} {
			if t, ok := f.dict[name]; ok && isMatrix(t.shape) {
				return name, nil
			}
		}
		return "", fmt.Errorf("convert: %s %.80q: want the name of a matrix, found %s", option, wanted, list(f.names()))
	}
	var fits []string
	for _, name := range f.names() {
		if t := f.dict[name]; !f.used[name] && !recurrentName.MatchString(name) && isMatrix(t.shape) && t.shape[1] == width && !not(name) {
			fits = append(fits, name)
		}
	}
	if named := slices.DeleteFunc(slices.Clone(fits), func(name string) bool { return !like.MatchString(name) }); len(fits) > 1 && len(named) > 0 {
		fits = named
	}
	switch len(fits) {
	case 0:
		return "", nil
	case 1:
		return fits[0], nil
	}
	return "", fmt.Errorf("convert: %s may be each of %s: want the name of one (%s)", option, list(fits), option)
}

// isMatrix says whether a tensor is one, with elements: a bias beside an empty one could
// be of any length.
func isMatrix(shape []int) bool { return len(shape) == 2 && shape[0] > 0 && shape[1] > 0 }

// values reads a whole tensor.
func (f *finder) values(name string) []float32 {
	f.used[name] = true
	if f.failed != nil {
		return nil
	}
	values, err := f.dict[name].read()
	if err != nil {
		f.failed = plain(err)
	}
	return values
}

// linear reads a matrix and the bias beside it, as one of ours.
func (f *finder) linear(ours, name string) *Linear {
	f.from[ours+".weight"] = name
	shape := f.dict[name].shape
	l := &Linear{Weight: nn.Tensor{Name: name, Shape: shape, Data: f.values(name)}, Bias: make([]float32, shape[0])}
	if f.hasBias(name) {
		f.take(l.Bias, biasOf(name), shape[0])
		f.from[ours+".bias"] = biasOf(name)
	}
	return l
}

// crf finds the parameters of a conditional random field as pytorch-crf names
// them.
func (f *finder) crf(p *Parts) {
	for _, name := range f.names() {
		prefix, ok := strings.CutSuffix(name, "start_transitions")
		if !ok || len(f.dict[name].shape) != 1 {
			continue
		}
		if p.CRF != nil {
			f.wrong("%.80q is of a second conditional random field: want one", name)
			return
		}
		k := f.dict[name].shape[0]
		if t := f.dict[prefix+"transitions"]; !slices.Equal(t.shape, []int{k, k}) {
			f.wrong("%.80q is %v, want %v", prefix+"transitions", t.shape, []int{k, k})
			return
		}
		p.CRF = &CRF{Transitions: make([]float32, k*k), Start: make([]float32, k), End: make([]float32, k)}
		f.take(p.CRF.Transitions, prefix+"transitions", k, k)
		f.take(p.CRF.Start, name, k)
		f.take(p.CRF.End, prefix+"end_transitions", k)
		for _, part := range []string{"transitions", "start_transitions", "end_transitions"} {
			f.from["crf."+part] = prefix + part
		}
	}
}

// unused keeps the tensors that nothing has taken as a fault.
func (f *finder) unused() {
	left := slices.DeleteFunc(f.names(), func(name string) bool { return f.used[name] })
	if len(left) > 0 {
		f.wrong("without use: %s; what they do would be lost: name them, or modules that they are in, to be ignored (ignore), if that is right, or as head, embed, input or stack", list(left))
	}
}
