package kerasfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sluice/convert/internal/hdf5"
)

// variables are the names of what Keras 3 has by number in a layer's group, by class.
var variables = map[string][]string{
	"Embedding": {"embeddings"},
	"Dense":     {"kernel", "bias"},
}

// cell are those of a recurrent layer's cell.
var cell = []string{"kernel", "recurrent_kernel", "bias"}

// inside are the groups of the layers inside of others, by class.
var inside = map[string][]string{
	"Bidirectional":   {"forward_layer", "backward_layer"},
	"TimeDistributed": {"layer"},
}

// numbered reads the weights as Keras 3 has them: layers/gru_1/cell/vars/0, where gru_1
// is the second layer of class GRU, whatever its name is.
func (f *File) numbered(root *hdf5.Group) error {
	groups := root.Group("layers")
	if groups == nil {
		groups = root.Group("_layer_checkpoint_dependencies") // Keras 2.13
	}
	if groups == nil {
		return invalidf("no group layers: it has no weights of Keras, or those of a model that is not Sequential or Functional")
	}
	if own := root.Group("vars"); own != nil && len(own.Datasets) > 0 {
		return invalidf("weights of the model itself, %.80q, want them in layers", own.Datasets[0].Path())
	}
	if f.Kind == Weights {
		for _, g := range groups.Groups {
			f.Layers = append(f.Layers, unnamed(camel(g.Name)))
		}
		return f.numberedAlone(groups.Groups)
	}
	used := map[string]int{}
	left := map[string]*hdf5.Group{}
	for _, g := range groups.Groups {
		left[g.Name] = g
	}
	for i := range f.Layers {
		l := &f.Layers[i]
		key := snake(l.Class)
		if used[key]++; used[key] > 1 {
			key = fmt.Sprintf("%s_%d", key, used[key]-1)
		}
		g := left[key]
		if g == nil {
			continue // it has no weights; if it should, the layer's user misses them
		}
		delete(left, key)
		if name, ok, err := nameOf(g); err != nil || ok && name != l.Name {
			return cmp.Or(err, invalidf("%.200q has the weights of layer %.80q, want %.80q as the config has it", g.Path(), name, l.Name))
		}
		if err := l.fill(g); err != nil {
			return err
		}
	}
	return unused(left)
}

// numberedAlone reads weights without a config.
func (f *File) numberedAlone(groups []*hdf5.Group) error {
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		x, n := counted(groups[a].Name)
		y, m := counted(groups[b].Name)
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(n, m))
	})
	layers := make([]Layer, len(groups))
	for at, i := range order {
		g, l := groups[i], f.Layers[i]
		name, ok, err := nameOf(g)
		if err != nil {
			return err
		}
		if l.Name = g.Name; ok {
			l.Name = name
		}
		if err := l.fill(g); err != nil {
			return err
		}
		layers[at] = l
	}
	f.Layers = layers
	return nil
}

// unnamed is a layer of a class with the layers inside of it.
func unnamed(class string) Layer {
	l := Layer{Class: class}
	for _, name := range inside[class] {
		l.Inside = append(l.Inside, Layer{Name: name})
	}
	return l
}

// nameOf is the name of the layer whose weights are in g, which newer files have.
func nameOf(g *hdf5.Group) (string, bool, error) {
	if vars := g.Group("vars"); vars != nil {
		return text(vars, "name")
	}
	return "", false, nil
}

// fill reads a layer's weights from its group.
func (l *Layer) fill(g *hdf5.Group) error {
	left := map[string]*hdf5.Group{}
	for _, child := range g.Groups {
		if child.Name != "seed_generator" { // of dropout, while training
			left[child.Name] = child
		}
	}
	for i, name := range inside[l.Class] {
		child := left[name]
		if child == nil {
			continue
		}
		delete(left, name)
		in := &l.Inside[i]
		if in.Class == "" { // the name of its cell, gru_cell, says it
			if c := child.Group("cell"); c != nil {
				name, _, err := nameOf(c)
				if err != nil {
					return err
				}
				in.Class = camel(strings.TrimSuffix(name, "_cell"))
			}
		}
		if err := in.fill(child); err != nil {
			return err
		}
	}
	if len(g.Datasets) > 0 {
		return invalidf("%.200q: a dataset where groups are", g.Datasets[0].Path())
	}
	if vars := left["vars"]; vars != nil {
		delete(left, "vars")
		if err := l.arrays(vars, variables[l.Class]); err != nil {
			return err
		}
	}
	if c := left["cell"]; c != nil && c.Group("vars") != nil {
		delete(left, "cell")
		if err := l.arrays(c.Group("vars"), cell); err != nil {
			return err
		}
	}
	return unused(left)
}

// arrays reads the numbered ones of a group. Numbers beyond the names stay numbers.
func (l *Layer) arrays(vars *hdf5.Group, names []string) error {
	for _, d := range vars.Datasets {
		name := d.Name
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(names) {
			name = names[i]
		}
		if err := l.add(name, d); err != nil {
			return err
		}
	}
	return nil
}

// add reads an array of l.
func (l *Layer) add(name string, d *hdf5.Dataset) error {
	if slices.ContainsFunc(l.Arrays, func(a Array) bool { return a.Name == name }) {
		return invalidf("layer %.80q has two arrays %.80q", l.Name, name)
	}
	data, err := d.Float32()
	if err != nil {
		return err
	}
	l.Arrays = append(l.Arrays, Array{name, d.Shape, data})
	return nil
}

// unused is the error of groups that belong to no layer.
func unused(groups map[string]*hdf5.Group) error {
	var paths []string
	for _, g := range groups {
		if holds(g) {
			paths = append(paths, g.Path())
		}
	}
	if len(paths) > 0 {
		return invalidf("weights of no layer that the config has: %s", list(paths))
	}
	return nil
}

// holds says whether there are datasets in g or below it.
func holds(g *hdf5.Group) bool {
	return len(g.Datasets) > 0 || slices.ContainsFunc(g.Groups, holds)
}

// named reads the weights as Keras 2 has them: a group for each layer, whose attribute
// weight_names says where in it the weights are.
func (f *File) named(g *hdf5.Group) error {
	order, ok, err := names(g, "layer_names")
	if err != nil || !ok {
		return cmp.Or(err, invalidf("group %.200q has no attribute layer_names", g.Path()))
	}
	places := map[string]int{}
	for i, l := range f.Layers {
		if _, twice := places[l.Name]; twice {
			return invalidf("two layers are named %.80q", l.Name)
		}
		places[l.Name] = i
	}
	var strange []string
	for _, name := range order {
		i, known := places[name]
		if f.Kind == Weights2 && !known {
			i, known = len(f.Layers), true
			f.Layers = append(f.Layers, Layer{Name: name})
			places[name] = i
		}
		layer := g.Group(name)
		if layer == nil {
			return invalidf("no group %.80q in %.200q, which layer_names says", name, g.Path())
		}
		if !known {
			if holds(layer) {
				strange = append(strange, name)
			}
			continue
		}
		if err := f.Layers[i].pick(layer); err != nil {
			return err
		}
	}
	if top := g.Group("top_level_model_weights"); top != nil && holds(top) {
		strange = append(strange, top.Name)
	}
	if len(strange) > 0 {
		return invalidf("weights of no layer that the config has: %s", list(strange))
	}
	return nil
}

// pick reads a layer's weights that weight_names says.
func (l *Layer) pick(g *hdf5.Group) error {
	paths, ok, err := names(g, "weight_names")
	if err != nil || !ok {
		return cmp.Or(err, invalidf("group %.200q has no attribute weight_names", g.Path()))
	}
	if len(l.Arrays) > 0 {
		return invalidf("layer_names says %.80q twice", l.Name)
	}
	if l.Class == "" && slices.ContainsFunc(paths, func(p string) bool { return strings.Contains(p, "/backward_") }) {
		*l = Layer{Name: l.Name, Class: "Bidirectional", Inside: []Layer{{Name: "forward"}, {Name: "backward"}}}
	}
	for i, path := range paths {
		to := l
		switch n := len(l.Inside); {
		case n > 0 && len(paths)%n != 0:
			return invalidf("layer %.80q: %d weights for %d layers inside of it", l.Name, len(paths), n)
		case n > 0:
			to = &l.Inside[i/(len(paths)/n)]
			if n == 2 && i < len(paths)/2 == strings.Contains(path, "/backward_") && strings.Contains(path, "ward_") {
				return invalidf("layer %.80q: weight %.80q is not where its direction is, forward first", l.Name, path)
			}
		}
		d := g.Dataset(path)
		if d == nil {
			return invalidf("no dataset %.200q in %.200q, which weight_names says", path, g.Path())
		}
		name, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], ":")
		if err := to.add(name, d); err != nil {
			return err
		}
	}
	return nil
}

// snake is a class as Keras names its group: SimpleRNN is simple_rnn.
func snake(class string) string {
	var b strings.Builder
	letters := []rune(class)
	for i, r := range letters {
		// A word begins at a capital beside a small letter.
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// known are the classes that groups are named after. All but the first ones have no
// weights.
var known = []string{
	"Embedding", "Dense", "SimpleRNN", "GRU", "LSTM", "Bidirectional", "TimeDistributed",
	"InputLayer", "Masking", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout",
	"GlobalAveragePooling1D", "GlobalMaxPooling1D", "Activation", "Softmax", "ActivityRegularization",
}

// camel is the class that a group is named after, if it is known; else the group's
// name as it is.
func camel(group string) string {
	name, _ := counted(group)
	for _, class := range known {
		if name == snake(class) {
			return class
		}
	}
	return name
}

// counted takes gru_1 apart into gru and 1, and gru into gru and 0.
func counted(group string) (string, int) {
	if i := strings.LastIndexByte(group, '_'); i > 0 {
		if n, err := strconv.Atoi(group[i+1:]); err == nil && n > 0 && strconv.Itoa(n) == group[i+1:] {
			return group[:i], n
		}
	}
	return group, 0
}
