package disktest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"syscall"
)

// Killed is what the processes after one that was killed find: all that was
// done, lasting as far as it was. It has no faults and counts from 0.
func (m *Memory) Killed() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := map[*node]*node{}
	return &Memory{root: m.root.clone(known)}
}

func (n *node) clone(known map[*node]*node) *node {
	if n == nil || known[n] != nil {
		return known[n]
	}
	c := &node{folder: n.folder, data: slices.Clone(n.data), synced: slices.Clone(n.synced), pending: slices.Clone(n.pending)}
	known[n] = c
	if !n.folder {
		return c
	}
	all := func(names map[string]*node) map[string]*node {
		cloned := map[string]*node{}
		for name, n := range names {
			cloned[name] = n.clone(known)
		}
		return cloned
	}
	c.names, c.lasting = all(n.names), all(n.lasting)
	for _, m := range n.moves {
		m = slices.Clone(m)
		for i := range m {
			m[i].node = m[i].node.clone(known)
		}
		c.moves = append(c.moves, m)
	}
	return c
}

// Survivors is one state in which a crash of the machine may leave the disk,
// with no faults and a count from 0. Of seed 0 it is what was synced and no
// more. Other seeds add, for each file and folder at random, nothing, all, a
// beginning or any part of what was not synced: writes cut anywhere, sectors
// here and there among zeros, later names without earlier ones.
func (m *Memory) Survivors(seed uint64) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := survivor{keepNothing: seed == 0, rng: rand.New(rand.NewPCG(seed, 0)), known: map[*node]*node{}}
	return &Memory{root: s.node(m.root)}
}

type survivor struct {
	keepNothing bool
	rng         *rand.Rand
	known       map[*node]*node // what is left of each
}

func (s *survivor) coin() bool { return s.rng.IntN(2) == 0 }

func (s *survivor) node(n *node) *node {
	if left := s.known[n]; left != nil {
		return left
	}
	left := &node{folder: n.folder}
	s.known[n] = left
	if !n.folder {
		left.data = s.content(n)
		left.synced = slices.Clone(left.data)
		return left
	}
	left.names = map[string]*node{}
	names := s.names(n)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		left.names[name] = s.node(names[name])
	}
	left.lasting = maps.Clone(left.names)
	return left
}

// names is what is left in a folder.
func (s *survivor) names(n *node) map[string]*node {
	names := maps.Clone(n.lasting)
	for i, kept := range s.which(len(n.moves)) {
		if kept {
			n.moves[i].apply(names)
		}
	}
	return names
}

// which chooses what is kept of n things.
func (s *survivor) which(n int) []bool {
	kept := make([]bool, n)
	if s.keepNothing || n == 0 {
		return kept
	}
	first := [...]int{0, n, s.rng.IntN(n + 1), -1}[s.rng.IntN(4)]
	for i := range kept {
		kept[i] = i < first || first < 0 && s.coin()
	}
	return kept
}

const sector = 512 // bytes that reach the disk together, most times

// content is what is left in a file. Where its end is kept and its bytes are
// not there are zeros.
func (s *survivor) content(n *node) []byte {
	var parts []edit // of the edits, none across sectors
	for _, e := range n.pending {
		if e.truncate {
			parts = append(parts, e)
			continue
		}
		for len(e.data) > 0 {
			size := min(int64(len(e.data)), sector-e.at%sector)
			parts = append(parts, edit{at: e.at, data: e.data[:size]})
			e.at, e.data = e.at+size, e.data[size:]
		}
	}
	left, end := slices.Clone(n.synced), int64(len(n.synced))
	kept := s.which(len(parts))
	for i, p := range parts {
		if end = max(end, p.at+int64(len(p.data))); p.truncate {
			end = p.at
		}
		torn := !s.keepNothing && !kept[i] && !p.truncate && (i == 0 || kept[i-1]) && s.coin()
		if torn {
			p.data = p.data[:s.rng.IntN(len(p.data))]
		}
		if torn || kept[i] {
			left = p.apply(left)
		}
	}
	if end > int64(len(left)) && !s.keepNothing && s.coin() {
		left = resize(left, end)
	}
	return left
}

// must finds a file for a test that says it is there.
func (m *Memory) must(call, name string) *node {
	n, err := m.find(name)
	if err == nil && n.folder {
		err = syscall.EISDIR
	}
	if err != nil {
		panic(fmt.Sprintf("disktest: %s %s: %v", call, name, err))
	}
	return n
}

// settle makes data all that there is and was of a file.
func (n *node) settle(data []byte) {
	n.data, n.synced, n.pending = data, slices.Clone(data), nil
}

// Put makes the file at a path and the folders above it, all lasting. It counts
// as no operation, as all that follows.
func (m *Memory) Put(name string, data []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.root
	parts := strings.Split(clean(name), "/")
	for i, part := range parts {
		next := n.names[part]
		if next == nil {
			next = newFolder()
			if i == len(parts)-1 {
				next = &node{}
			}
		}
		n.names[part], n.lasting[part] = next, next
		n = next
	}
	n.settle(slices.Clone(data))
}

// Get is the content of a file, as a running machine sees it, nil if there is
// none.
func (m *Memory) Get(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.find(name)
	if err != nil || n.folder {
		return nil
	}
	return append([]byte{}, n.data...)
}

// Files lists the paths of all files from the root, sorted.
func (m *Memory) Files() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var files []string
	var walk func(n *node, at string)
	walk = func(n *node, at string) {
		if !n.folder {
			files = append(files, at)
		}
		for name, n := range n.names {
			walk(n, path.Join(at, name))
		}
	}
	walk(m.root, "")
	slices.Sort(files)
	return files
}

// Flip flips a bit of a file's content, in its pages and on the disk. Bit 0 is
// the lowest of the first byte.
func (m *Memory) Flip(name string, bit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.must("Flip", name)
	n.data[bit/8] ^= 1 << (bit % 8)
	n.settle(n.data)
}

// Truncate cuts a file, in its pages and on the disk.
func (m *Memory) Truncate(name string, size int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.must("Truncate", name)
	n.settle(n.data[:size])
}
