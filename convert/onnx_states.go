package convert

import (
	"cmp"
	"fmt"
	"slices"
)

// onnxCut is a part of an axis of an input.
type onnxCut struct {
	of         *onnxAtom
	from, size int
	left       *onnxAtom // what the part counts, nil where it is of size 1
}

// onnxBegin is a part of an input that a node begins with.
type onnxBegin struct {
	cuts []onnxCut
	node string
}

// overlap says whether two parts of an input have some of it in common.
func overlap(a, b []onnxCut) bool {
	for _, x := range a {
		for _, y := range b {
			if x.of == y.of && (x.from+x.size <= y.from || y.from+y.size <= x.from) {
				return false
			}
		}
	}
	return true
}

// onnxPlace is where a port has one vector, h or c, of one direction of a layer for
// all rows: (B, H) among what else it has.
type onnxPlace struct {
	port      string
	sizes     []int // the first one slowest, 0 for B
	fixed     []int // what is added to the place in each
	row, unit int   // which of them count rows and units, −1 where there is one
}

// onnxStates are the places of h and of c, of each direction of each layer, bottom to
// top; none where some have no place.
type onnxStates map[string][]onnxPlace

// at is the element of a row and unit, of b rows.
func (p *onnxPlace) at(row, unit, b int) (i int) {
	for k, size := range p.sizes {
		if size == 0 {
			size = b
		}
		i = i*size + p.fixed[k]
		switch k {
		case p.row:
			i += row
		case p.unit:
			i += unit
		}
	}
	return i
}

// begins are the places of the states that layers begin with.
func (im *onnxImport) begins() onnxStates {
	states := onnxStates{}
	for _, l := range im.layers {
		for _, s := range l.sources {
			for i, name := range s.cell.vectors() {
				if p := im.begin(s, s.cell.begins[i]); p != nil {
					states[name] = append(states[name], *p)
				}
			}
		}
	}
	return im.complete(states)
}

// ends are the places of the states that layers end with.
func (im *onnxImport) ends() onnxStates {
	states := onnxStates{}
	for _, l := range im.layers {
		for _, s := range l.sources {
			for i, name := range s.cell.vectors() {
				at := []string{ended, cellState}[i]
				for _, v := range im.file.Outputs {
					if p := end(s, v.Name, at, im.values[v.Name].seq); p != nil {
						states[name] = append(states[name], *p)
						break
					}
				}
			}
		}
	}
	return im.complete(states)
}

// complete are the vectors that all layers have.
func (im *onnxImport) complete(states onnxStates) onnxStates {
	n := 0
	for _, l := range im.layers {
		n += len(l.sources)
	}
	for name, places := range states {
		if len(places) < n {
			delete(states, name)
		}
	}
	return states
}

// vectors are the names of a cell's state.
func (c *onnxCell) vectors() []string {
	if c.config.Cell == "lstm" {
		return []string{"h", "c"}
	}
	return []string{"h"}
}

// begin is the place in an input of what a direction begins with, of the value that
// its node is given; nil without one.
func (im *onnxImport) begin(s onnxSource, value *onnxSeq) *onnxPlace {
	if value == nil || len(value.axes) != 3 {
		return nil
	}
	const direction, row, unit = 0, 1, 2
	axes := slices.Clone(value.axes)
	if s.cell.batched {
		axes[0], axes[1] = axes[1], axes[0]
	}
	type part struct{ counts, from int }
	parts := map[*onnxAtom]part{}
	for counts, axis := range axes {
		if len(axis) > 1 {
			return nil
		}
		for _, a := range axis {
			parts[a] = part{counts, 0}
		}
	}
	for _, cut := range value.cuts {
		of := part{-1, cut.from}
		if cut.left != nil {
			left, ok := parts[cut.left]
			if !ok {
				return nil
			}
			of.counts = left.counts
		}
		parts[cut.of] = of
	}
	p := &onnxPlace{port: value.input, row: -1, unit: -1}
	for i, a := range slices.Concat(im.values[value.input].seq.axes...) {
		of, ok := parts[a]
		if !ok {
			return nil
		}
		size := 0
		switch of.counts {
		case direction:
			size, of.from = len(s.cell.reverse), of.from+s.direction
		case row:
			p.row = i
		case unit:
			size, p.unit = s.cell.config.Hidden, i
		}
		if a.size.known() {
			size = int(a.size.plus)
		}
		p.sizes, p.fixed = append(p.sizes, size), append(p.fixed, of.from)
	}
	return p
}

// end is the place of what a direction ends with in an output of what it is taken at,
// nil if it is not there.
func end(s onnxSource, output, at string, value *onnxSeq) *onnxPlace {
	if value == nil || value.stage != outputStage || value.at != at || value.merge != "" || value.ordered != nil {
		return nil
	}
	source := slices.Index(value.sources, s)
	if source < 0 {
		return nil
	}
	p := &onnxPlace{port: output, row: -1, unit: -1}
	seen := len(value.sources) == 1
	for i, a := range slices.Concat(value.axes...) {
		size, from := 0, 0
		switch a.role {
		case sourceAxis:
			size, from, seen = len(value.sources), source, true
		case batchAxis:
			p.row = i
		case featureAxis:
			size, p.unit = s.cell.config.Hidden, i
		default:
			return nil
		}
		if a.size.known() {
			size = int(a.size.plus)
		}
		p.sizes, p.fixed = append(p.sizes, size), append(p.fixed, from)
	}
	if !seen {
		return nil
	}
	return p
}

// shape is that of an input for b rows: as its places say, where it has some.
func (s onnxStates) shape(p onnxPort, b int) []int {
	var known []int
	for _, places := range s {
		for _, place := range places {
			if place.port == p.name {
				known = place.sizes
			}
		}
	}
	shape := make([]int, len(p.axes))
	for i, axis := range p.axes {
		size := axis.size
		if size != 1 && len(known) > 0 { // axes of size 1 are in no place
			size, known = known[0], known[1:]
		}
		shape[i] = cmp.Or(size, b)
	}
	return shape
}

// each calls do with the places of all numbers of b rows, in arrays (L·D, B, H) as ours
// are, and in those of the ports.
func (s onnxStates) each(b, hidden int, theirs arrays, do func(vector string, ours int, theirs *float32)) error {
	for vector, places := range s {
		for i, p := range places {
			x, _ := theirs[p.port].Data.([]float32)
			if last := p.at(b-1, hidden-1, b); last >= len(x) {
				return fmt.Errorf("convert: state %q is %v of %s, want %d floats or more", p.port, theirs[p.port].Shape, theirs[p.port].dtype(), last+1)
			}
			for row := range b {
				for unit := range hidden {
					do(vector, (i*b+row)*hidden+unit, &x[p.at(row, unit, b)])
				}
			}
		}
	}
	return nil
}
