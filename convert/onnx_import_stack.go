package convert

import (
	"fmt"
	"slices"
	"strings"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// onnxLayerOf is a layer of a model: one direction or two, and how they join.
type onnxLayerOf struct {
	sources []onnxSource // forward, then backward
	merge   rnn.Merge
	below   onnxBelow
}

// consume finds the layer whose outputs these are, for who reads them: its number,
// and whether the backward ones come first.
func (im *onnxImport) consume(s *onnxSeq) (layer int, swapped bool, err error) {
	if !s.lastIsFeatures() {
		return 0, false, fmt.Errorf("reads outputs along an axis of %s, want their features last", s.features()[0].role)
	}
	l := onnxLayerOf{sources: slices.Clone(s.sources), merge: s.merge}
	switch f := s.features(); {
	case len(l.sources) > 2:
		return 0, false, fmt.Errorf("reads %d directions of layers, want those of one layer", len(l.sources))
	case len(l.sources) == 2 && s.merge == "":
		l.merge = rnn.Concat
		if len(f) == 0 || f[0].role != sourceAxis {
			return 0, false, fmt.Errorf("reads two directions that are not joined, or joined feature by feature")
		}
	}
	if len(l.sources) == 2 {
		a, b := l.sources[0], l.sources[1]
		if a.backward() == b.backward() || a.cell.below != b.cell.below || a.cell.config != b.cell.config || a.cell.lengths != b.cell.lengths {
			return 0, false, fmt.Errorf("reads what %s and %s give, which are not the two directions of a layer: one forward and one backward, of one kind and size, that read the same", a.cell.node, b.cell.node)
		}
		if swapped = a.backward(); swapped {
			slices.Reverse(l.sources)
		}
		swapped = swapped && l.merge == rnn.Concat
	}
	l.below = l.sources[0].cell.below
	for i, other := range im.layers {
		if slices.Equal(other.sources, l.sources) && other.merge == l.merge {
			return i, swapped, nil
		}
		if other.below == l.below {
			return 0, false, fmt.Errorf("reads outputs of %s in another way than other nodes do, or beside those of another layer: a model here is one chain of layers", l.sources[0].cell.node)
		}
	}
	if l.below.layer != len(im.layers)-1 {
		return 0, false, fmt.Errorf("reads outputs of %s, which are not of the layer before: a model here is one chain of layers", l.sources[0].cell.node)
	}
	if len(im.layers) == rnn.MaxLayers {
		return 0, false, fmt.Errorf("is above %d layers, want at most as many", rnn.MaxLayers)
	}
	im.layers = append(im.layers, &l)
	return len(im.layers) - 1, swapped, nil
}

// finish makes the parts of what the outputs are.
func (im *onnxImport) finish(p *Parts) {
	var said *onnxSeq
	name := ""
	rank := func(s *onnxSeq) int {
		switch {
		case s == nil || s.stage < outputStage || s.at == cellState || len(s.sources) > 2:
			return 0
		case s.stage == headStage:
			return 3
		case s.at == everyStep:
			return 2
		}
		return 1
	}
	for _, v := range im.file.Outputs {
		s := im.values[v.Name].seq
		if rank(s) > rank(said) {
			said, name = s, v.Name
		}
	}
	if said == nil {
		im.problem("no output is what a recurrent layer gives, or a linear layer after one")
		return
	}
	for _, v := range im.file.Outputs {
		s := im.values[v.Name].seq
		switch {
		case v.Name == name:
		case s != nil && s.stage == headStage && s.linear == said.linear && s.at == said.at:
		case s != nil && s.stage == headStage && (&s.linear.Weight.Data[0] != &said.linear.Weight.Data[0] || !slices.Equal(s.linear.Bias, said.linear.Bias) || s.at != said.at || s.layer != said.layer):
			im.problem("outputs %q and %q are of two heads: a model here has one", short(name), short(v.Name))
		case s != nil && s.stage == headStage:
		case s != nil && (s.at == ended || s.at == cellState):
			im.note("Output %q is a state: here it is carried by who runs the model.", short(v.Name))
		default:
			im.note("Output %q is left out.", short(v.Name))
		}
	}
	top := said.layer
	if said.stage == outputStage {
		var err error
		if top, _, err = im.consume(said); err != nil {
			im.problem("output %q %v", short(name), err)
			return
		}
	}
	im.pooled(p, said, name)
	im.whole()
	if top != len(im.layers)-1 {
		im.problem("output %q is of recurrent layer %d of %d, want of the last", short(name), top+1, len(im.layers))
	}
	if len(im.problems) > 0 {
		return
	}
	if said.linear != nil && said.stage == headStage {
		p.Head, p.Activation = &said.linear.Linear, said.activation
	}
	p.ports = im.portsOf(name)
	if len(im.carried) > 0 {
		im.note("What layers begin with comes in as input %s: here it is a state that is carried by who runs the model.", strings.Join(im.carried, ", "))
	}
	im.before(p)
	im.stack(p)
	p.Notes = im.notes
}

// whole finds layers that read more or other than those of a model here would: steps
// past a row's length, or states that are also their sequence.
func (im *onnxImport) whole() {
	for i, l := range im.layers {
		for j, s := range l.sources {
			if j > 0 && s.cell == l.sources[0].cell {
				break
			}
			// What a forward layer reads too much comes after all that is read of it.
			if later := i < len(im.layers)-1 && len(l.sources) == 1 && !s.backward(); im.lengths != "" && !s.cell.lengths && !later {
				im.problem("%s: without sequence_lens, and other layers have them: a model here ends a row in all layers", s.cell.node)
			}
			for _, begin := range s.cell.begins {
				if begin != nil && begin.input == im.layers[0].below.input {
					im.problem("%s: begins with input %q, which is the sequence, too", s.cell.node, short(begin.input))
				}
			}
		}
	}
}

// pooled says what the head reads.
func (im *onnxImport) pooled(p *Parts, s *onnxSeq, name string) {
	pools := map[string]string{everyStep: EveryStep, ended: model.PoolLast, meanStep: model.PoolMean, maxStep: model.PoolMax}
	var ok bool
	switch p.Pool, ok = pools[s.at]; {
	case !ok && s.sources[0].cell.lengths:
		im.problem("output %q reads %s of sequences that end before: past a row's length there are zeros; want Y_h, or the mean or maximum", short(name), s.at)
	case !ok:
		im.problem("output %q reads %s, where a direction has only begun: a model here reads the last output of each direction, as Y_h has it", short(name), s.at)
	case s.ordered != nil:
		im.problem("output %q has its rows in order of their lengths", short(name))
	case s.flipped && s.at == everyStep:
		im.problem("output %q has its steps from the end to the start", short(name))
	}
}

// before is what stands before the layers.
func (im *onnxImport) before(p *Parts) {
	below := im.layers[0].below
	if below.linear != nil {
		p.Input = &below.linear.Linear
	}
	p.Symbols = below.symbols
	if c := im.values[below.table].c; c != nil {
		p.Embed = &nn.Tensor{Name: below.table, Shape: c.shape, Data: c.floats}
	}
}

// stack makes the layers.
func (im *onnxImport) stack(p *Parts) {
	biases := 1
	for _, l := range im.layers {
		for _, s := range l.sources {
			rows := len(s.cell.b) / len(s.cell.reverse)
			if slices.ContainsFunc(s.cell.b[s.direction*rows+rows/2:(s.direction+1)*rows], func(v float32) bool { return v != 0 }) {
				biases = 2
			}
		}
	}
	for _, l := range im.layers {
		err := im.spend(l.weights()) // many layers could have the same
		var n *rnn.Network
		if err == nil {
			n, err = l.network(biases)
		}
		if err != nil {
			im.problem("%s: %v", l.sources[0].cell.node, err)
			return
		}
		p.Stack = append(p.Stack, n)
	}
}

// weights is how many there are.
func (l *onnxLayerOf) weights() (n int) {
	for _, s := range l.sources {
		n += (len(s.cell.w) + len(s.cell.r) + len(s.cell.b) + len(s.cell.p)) / len(s.cell.reverse)
	}
	return n
}

// network is the layer with its weights as ours.
func (l *onnxLayerOf) network(biases int) (*rnn.Network, error) {
	c := l.sources[0].cell.config
	c.Biases, c.Direction = biases, rnn.Forward
	if len(l.sources) == 2 {
		c.Direction, c.Merge = rnn.Bidirectional, l.merge
	} else if l.sources[0].backward() {
		c.Direction = rnn.Backward
	}
	n, err := rnn.New(c)
	if err != nil {
		return nil, err
	}
	each := len(n.Tensors()) / n.Directions()
	for d, s := range l.sources {
		from := onnxLayer{s.cell.w, s.cell.r, s.cell.b, s.cell.p}
		from.take(n.Tensors()[d*each:(d+1)*each], n.Config, s.direction, len(s.cell.reverse))
	}
	return n, nil
}
