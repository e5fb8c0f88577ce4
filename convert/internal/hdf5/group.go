package hdf5

import (
	"bytes"
	"fmt"
	"strings"
)

// symbolTable is where a group's members are.
type symbolTable struct{ tree, heap uint64 }

// fill reads the members of g.
func (f *file) fill(g *Group, t *symbolTable, depth int) error {
	if depth == maxDepth {
		return f.invalid("group %.200q: groups within groups, %d deep, want at most %d", g.Path(), depth, maxDepth)
	}
	names, err := f.localHeap(t.heap)
	if err != nil {
		return err
	}
	return f.groupTree(g, names, t.tree, -1, depth)
}

// localHeap reads the names of a group's members.
func (f *file) localHeap(at uint64) ([]byte, error) {
	b, err := f.bytes("a local heap", at, 32)
	if err != nil {
		return nil, err
	}
	c := &cursor{b: b}
	if string(c.take(4)) != "HEAP" || c.u8() != 0 {
		return nil, f.invalid("no local heap of version 0 at byte %d", at)
	}
	c.take(3)
	size, _, data := c.u64(), c.u64(), c.u64()
	return f.bytes("the names of a group", data, size)
}

// groupTree reads a node of a group's B-tree; level -1 is any, of the root.
func (f *file) groupTree(g *Group, names []byte, at uint64, level, depth int) error {
	level, entries, err := f.treeNode(at, 0, level)
	if err != nil {
		return err
	}
	b, err := f.bytes("a node of a group's tree", at+treeHeader, uint64(entries)*16+8)
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	for range entries {
		c.u64() // the key
		child := c.u64()
		if level > 0 {
			err = f.groupTree(g, names, child, level-1, depth)
		} else {
			err = f.symbols(g, names, child, depth)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const treeHeader = 24

// treeNode reads the header of a node of a B-tree of version 1 and of a kind, 0 of
// groups or 1 of chunks.
func (f *file) treeNode(at uint64, kind uint8, want int) (level, entries int, err error) {
	b, err := f.bytes("a node of a tree", at, treeHeader)
	if err != nil {
		return 0, 0, err
	}
	c := &cursor{b: b}
	if string(c.take(4)) != "TREE" || c.u8() != kind {
		return 0, 0, f.invalid("no node of a tree of kind %d at byte %d", kind, at)
	}
	level, entries = int(c.u8()), int(c.u16())
	if want >= 0 && level != want || level > 8 {
		return 0, 0, f.invalid("node of a tree at byte %d: level %d, want %d", at, level, min(max(want, 0), 8))
	}
	return level, entries, nil
}

// symbols reads a node of a group's members.
func (f *file) symbols(g *Group, names []byte, at uint64, depth int) error {
	b, err := f.bytes("the members of a group", at, 8)
	if err != nil {
		return err
	}
	c := &cursor{b: b}
	if string(c.take(4)) != "SNOD" || c.u8() != 1 {
		return f.invalid("no symbol table node of version 1 at byte %d", at)
	}
	c.u8()
	n := uint64(c.u16())
	if b, err = f.bytes("the members of a group", at+8, n*40); err != nil {
		return err
	}
	c = &cursor{b: b}
	for range n {
		name, header, kind := c.u64(), c.u64(), c.u32()
		c.take(4 + 16)
		if err := f.member(g, names, name, header, kind, depth); err != nil {
			return err
		}
	}
	return nil
}

// member reads one member of g: its header, and if it is a group its own members.
func (f *file) member(g *Group, names []byte, at, headerAt uint64, kind uint32, depth int) error {
	if at >= uint64(len(names)) {
		return f.invalid("group %.200q: a name at byte %d of %d", g.Path(), at, len(names))
	}
	raw, _, ended := bytes.Cut(names[at:], []byte{0})
	if !ended || len(raw) == 0 || len(raw) > maxName || bytes.IndexByte(raw, '/') >= 0 {
		return f.invalid("group %.200q: name %.80q of a member, want 1 to %d bytes without /", g.Path(), raw, maxName)
	}
	if err := f.spend(uint64(len(raw))); err != nil {
		return err
	}
	name := string(raw)
	path := func() string { return strings.TrimSuffix(g.Path(), "/") + "/" + name }
	if kind == 2 {
		return f.invalid("%.200q is a link by name, want the object itself", path())
	}
	h, err := f.header(headerAt)
	if err != nil {
		return fmt.Errorf("%w, in %.200q", err, path())
	}
	switch {
	case h.table != nil:
		if n := len(g.Groups); n > 0 && g.Groups[n-1].Name >= name {
			return f.invalid("group %.200q: members %.80q and %.80q are not in order", g.Path(), g.Groups[n-1].Name, name)
		}
		child := &Group{Name: name, parent: g, attributes: h.attributes, f: f}
		g.Groups = append(g.Groups, child)
		return f.fill(child, h.table, depth+1)
	case h.space == nil || h.typ == nil || h.layout == nil:
		return f.invalid("%.200q is neither a group with a symbol table nor a dataset", path())
	}
	if n := len(g.Datasets); n > 0 && g.Datasets[n-1].Name >= name {
		return f.invalid("group %.200q: members %.80q and %.80q are not in order", g.Path(), g.Datasets[n-1].Name, name)
	}
	d := &Dataset{Name: name, Shape: make([]int, len(h.space.dims)), parent: g, header: h, f: f}
	for i, n := range h.space.dims {
		d.Shape[i] = int(n)
	}
	g.Datasets = append(g.Datasets, d)
	return nil
}

// Path is the group's place from the root, which is "/".
func (g *Group) Path() string {
	var names []string
	for ; g.parent != nil; g = g.parent {
		names = append(names, g.Name)
	}
	var path strings.Builder
	for i := range names {
		path.WriteString("/" + names[len(names)-1-i])
	}
	if len(names) == 0 {
		return "/"
	}
	return path.String()
}

// Path is the dataset's place from the root.
func (d *Dataset) Path() string { return strings.TrimSuffix(d.parent.Path(), "/") + "/" + d.Name }

// Group finds a group by its path from g, nil where there is none.
func (g *Group) Group(path string) *Group {
next:
	for name := range strings.SplitSeq(path, "/") {
		for _, child := range g.Groups {
			if child.Name == name {
				g = child
				continue next
			}
		}
		return nil
	}
	return g
}

// Dataset finds a dataset by its path from g, nil where there is none.
func (g *Group) Dataset(path string) *Dataset {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		if g = g.Group(path[:i]); g == nil {
			return nil
		}
		path = path[i+1:]
	}
	for _, d := range g.Datasets {
		if d.Name == path {
			return d
		}
	}
	return nil
}
