package convert

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// stateDict are the tensors of a PyTorch model by name.
type stateDict struct {
	tensors map[string]stateTensor
	notes   []string
	under   string // what the names began with in the file
}

func newStateDict() *stateDict { return &stateDict{tensors: map[string]stateTensor{}} }

type stateTensor struct {
	shape []int
	read  func() ([]float32, error) // exactly, or an error that names the tensor
}

// recurrentName is a tensor of torch.nn.RNN, GRU, LSTM or of a cell of one of
// them, which has no layer in its names.
var recurrentName = regexp.MustCompile(`^(.*?)(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)(?:_l([0-9]{1,4})(_reverse)?)?$`)

// The names by which an embedding and a head are told from other tensors of
// their shape.
var (
	embedName = regexp.MustCompile(`(?i)emb|wte|lookup|(^|\.)encoder\.weight$`)
	headName  = regexp.MustCompile(`(?i)head|fc|linear|out|decoder|classif|dense|proj|hidden2|logit|score|pred|cls|label|tag`)
)

// finder takes parts out of a state dict and keeps what is wrong with it.
type finder struct {
	dict   map[string]stateTensor
	used   map[string]bool
	from   map[string]string // tensors of ours to those they came of
	layers int               // found below the module at hand
	wrongs []string
	more   int   // wrongs beside them
	failed error // of reading
}

// newFinder looks among all tensors but those that are to be ignored: by their names, or
// those of modules that they are in.
func newFinder(d *stateDict, ignore []string) *finder {
	dict := maps.Clone(d.tensors)
	maps.DeleteFunc(dict, func(name string, _ stateTensor) bool {
		return slices.ContainsFunc(ignore, func(of string) bool {
			of = strings.TrimSuffix(of, ".")
			return name == of || strings.HasPrefix(name, of+".")
		})
	})
	return &finder{dict: dict, used: map[string]bool{}, from: map[string]string{}}
}

// checkpoint leaves the model's tensors of a checkpoint, which has others beside them.
func (d *stateDict) checkpoint() {
	tops := map[string]bool{}
	for name := range d.tensors {
		top, _, _ := strings.Cut(name, ".")
		tops[top] = true
	}
	optimizer := false
	for top := range tops {
		optimizer = optimizer || strings.HasPrefix(top, "optimizer")
	}
	for _, top := range []string{"state_dict", "model_state_dict", "model"} {
		if !tops[top] || top == "model" && !optimizer {
			continue
		}
		for name, t := range maps.Clone(d.tensors) {
			delete(d.tensors, name)
			if own, ok := strings.CutPrefix(name, top+"."); ok {
				d.tensors[own] = t
			}
		}
		d.notes = append(d.notes, fmt.Sprintf("a checkpoint: what is under %q is read", top))
		d.under = top + "."
		return
	}
}

// What a state dict's parts and a model of them allocate at most: dictTimes what its
// tensors hold, their names and shapes, and dictMore.
const (
	dictTimes = 256
	dictMore  = 1 << 20
)

// parts finds recurrent layers, embedding, head and CRF.
func (d *stateDict) parts(o Options) (*Parts, error) {
	f := newFinder(d, o.Ignore)
	prefixes, err := f.prefixes(o.Stack)
	if err != nil {
		return nil, err
	}
	p := &Parts{Notes: slices.Clone(d.notes)}
	for _, prefix := range prefixes {
		if n := f.recurrent(prefix, o.Activation, f.layers); n != nil {
			p.Stack = append(p.Stack, n)
			f.layers += n.Layers
		}
	}
	if len(f.wrongs) == 0 && f.failed == nil {
		if _, err := p.config(); err != nil { // or what stands around would be looked for by wrong widths
			return nil, err
		}
		if err := f.around(p, o); err != nil {
			return nil, err
		}
		f.unused()
	}
	p.from = f.from
	if p.Stack != nil && p.Stack[0].Cell == "rnn" && o.Activation == "" {
		p.note("a state dict does not say whether nn.RNN is one of tanh or relu: here it is tanh (activation)")
	}
	if o.Task == model.Classify && o.Pool == "" {
		p.note("a state dict does not say what its head reads: here it is the last step's output (pool)")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// err is all that is wrong.
func (f *finder) err() error {
	switch {
	case f.failed != nil:
		return f.failed
	case len(f.wrongs) > 0:
		line := strings.Join(f.wrongs, "; ")
		if f.more > 0 {
			line += fmt.Sprintf("; and %d more", f.more)
		}
		return fmt.Errorf("convert: %s", line)
	}
	return nil
}

// names are those of the dict, sorted.
func (f *finder) names() []string {
	names := make([]string, 0, len(f.dict))
	for name := range f.dict {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// prefixes are those of the recurrent modules, the wanted ones if there are any.
func (f *finder) prefixes(wanted []string) ([]string, error) {
	var found []string
	seen := map[string]bool{}
	for _, name := range f.names() {
		if m := recurrentName.FindStringSubmatch(name); m != nil && !seen[m[1]] {
			seen[m[1]] = true
			found = append(found, m[1])
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("convert: no tensors of a recurrent layer, such as rnn.weight_ih_l0: found %s", list(f.names()))
	}
	if len(wanted) == 0 && len(found) > 1 {
		return nil, fmt.Errorf("convert: recurrent layers under %s: want the prefixes of those to take, bottom to top (stack)", list(found))
	}
	for i, w := range wanted {
		if w = strings.TrimSuffix(w, ".") + "."; w == "." {
			w = ""
		}
		if !slices.Contains(found, w) {
			return nil, fmt.Errorf("convert: no recurrent layer under %.80q: found %s", w, list(found))
		}
		wanted = slices.Clone(wanted)
		wanted[i] = w
	}
	if len(wanted) > 0 {
		return wanted, nil
	}
	return found, nil
}

// wrong keeps a fault.
func (f *finder) wrong(format string, args ...any) {
	if len(f.wrongs) == maxProblems {
		f.more++
		return
	}
	f.wrongs = append(f.wrongs, cut(fmt.Sprintf(format, args...)))
}

// take reads a tensor into dst, of a shape.
func (f *finder) take(dst []float32, name string, shape ...int) {
	t, ok := f.dict[name]
	f.used[name] = true
	switch {
	case !ok:
		f.wrong("%.80q is missing, want %v", name, shape)
	case !slices.Equal(t.shape, shape):
		f.wrong("%.80q is %v, want %v", name, t.shape, shape)
	case f.failed == nil && len(f.wrongs) == 0:
		values, err := t.read()
		if err != nil {
			f.failed = plain(err)
			return
		}
		copy(dst, values)
	}
}

// recurrent is the module of a prefix over so many layers, nil with a fault.
func (f *finder) recurrent(prefix, activation string, below int) *rnn.Network {
	c, suffixes, biases := f.config(prefix, activation)
	if c.Cell == "" {
		return nil
	}
	n, err := rnn.Plan(c)
	if err != nil {
		f.wrong("%.80q: %v", prefix, err)
		return nil
	}
	size := 0
	for _, t := range n.Tensors() { // before memory is taken for them
		name := prefix + f.theirs(t.Name, suffixes)
		f.used[name] = true
		switch theirs, ok := f.dict[name]; {
		case !biases && strings.HasPrefix(t.Name, "bias"):
		case !ok:
			f.wrong("%.80q is missing, want %v", name, t.Shape)
		case !slices.Equal(theirs.shape, t.Shape):
			f.wrong("%.80q is %v, want %v", name, theirs.shape, t.Shape)
		}
		size += nn.Elements(t.Shape)
	}
	if len(f.wrongs) > 0 {
		return nil
	}
	n.Bind(make([]float32, size))
	for _, t := range n.Tensors() {
		if biases || !strings.HasPrefix(t.Name, "bias") {
			theirs := prefix + f.theirs(t.Name, suffixes)
			f.take(t.Data, theirs, t.Shape...)
			f.from["rnn."+raised(t.Name, below)] = theirs
		}
	}
	return n
}

// raised is the name of a tensor so many layers higher.
func raised(name string, by int) string {
	m := recurrentName.FindStringSubmatch(name)
	layer, _ := strconv.Atoi(m[3])
	return fmt.Sprintf("%s_l%d%s", m[2], layer+by, m[4])
}

// theirs is the name that a tensor of ours has in the dict: a cell's have no
// layer.
func (f *finder) theirs(name string, suffixes bool) string {
	if !suffixes {
		name = strings.TrimSuffix(name, "_l0")
	}
	return name
}

// config is found from the shapes of a module's first layer; Cell is empty with a
// fault.
func (f *finder) config(prefix, activation string) (c rnn.Config, suffixes, biases bool) {
	c = rnn.Config{Biases: 2, Direction: rnn.Forward}
	tensors := 0
	for _, name := range f.names() {
		m := recurrentName.FindStringSubmatch(name)
		if m == nil || m[1] != prefix {
			continue
		}
		layer, _ := strconv.Atoi(m[3])
		c.Layers = max(c.Layers, layer+1)
		suffixes = suffixes || m[3] != ""
		biases = biases || strings.HasPrefix(m[2], "bias")
		if m[4] != "" {
			c.Direction = rnn.Bidirectional
		}
		tensors++
	}
	if c.Layers > tensors { // a name alone could ask for any number
		f.wrong("%.80q has layer %d and %d tensors: want those of every layer", prefix, c.Layers-1, tensors)
		return rnn.Config{}, false, false
	}
	if !biases {
		c.Biases = 1
	}
	suffix := ""
	if suffixes {
		suffix = "_l0"
	}
	ih, hh, hr := f.dict[prefix+"weight_ih"+suffix], f.dict[prefix+"weight_hh"+suffix], f.dict[prefix+"weight_hr"+suffix]
	if len(ih.shape) != 2 || len(hh.shape) != 2 || hh.shape[1] == 0 {
		f.wrong("%.80q and weight_hh%s are %v and %v: want two matrices (G·H, X) and (G·H, H)", prefix+"weight_ih"+suffix, suffix, ih.shape, hh.shape)
		return rnn.Config{}, false, false
	}
	rows := hh.shape[0]
	c.Input, c.Hidden = ih.shape[1], hh.shape[1]
	gates := rows / c.Hidden
	if len(hr.shape) == 2 {
		gates, c.Hidden, c.Projection = 4, hr.shape[1], hr.shape[0]
	}
	switch {
	case rows != gates*c.Hidden:
	case gates == 1:
		c.Cell = "rnn"
		if activation != "tanh" {
			c.Activation = activation
		}
	case gates == 3:
		c.Cell, c.Reset = "gru", rnn.ResetAfter
	case gates == 4:
		c.Cell = "lstm"
	}
	switch {
	case c.Cell == "":
		f.wrong("%.80q is %v: want (H, H) of an RNN, (3·H, H) of a GRU or (4·H, H) of an LSTM", prefix+"weight_hh"+suffix, hh.shape)
	case activation != "" && c.Cell != "rnn":
		f.wrong("activation %q for %s %.80q: only nn.RNN has a choice", activation, c.Cell, prefix)
		c.Cell = ""
	}
	return c, suffixes, biases
}

// list shows names, the first ones of many.
func list(names []string) string {
	const most = 12
	more := ""
	if len(names) > most {
		names, more = names[:most], fmt.Sprintf(" and %d more", len(names)-most)
	}
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = fmt.Sprintf("%.80q", n)
	}
	return cmp.Or(strings.Join(shown, ", "), "none") + more
}
