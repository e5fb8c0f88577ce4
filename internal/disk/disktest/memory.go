// Package disktest is a file system in memory for tests: it fails or crashes at
// the operation that the test chooses, and knows what a crash of the machine
// may leave behind.
package disktest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"sluice/internal/disk"
)

// Memory is a disk.FS in memory, for any number of goroutines. A path is looked
// up from one root, whether or not it begins with a slash.
type Memory struct {
	mu      sync.Mutex
	root    *node
	ops     []Op
	fault   Fault
	crashed bool
}

var _ disk.FS = (*Memory)(nil)

// New is a Memory that holds nothing.
func New() *Memory { return &Memory{root: newFolder()} }

// node is a file or a folder. A name that changes does not change the node, so
// an open file outlives its name.
type node struct {
	folder bool

	data    []byte // of a file, as a running machine sees it
	synced  []byte // as of its last Sync
	pending []edit // from synced to data, unless a Sync failed

	names   map[string]*node // of a folder, as a running machine sees it
	lasting map[string]*node // as of its last SyncFolder
	moves   []move           // from lasting to names
}

func newFolder() *node {
	return &node{folder: true, names: map[string]*node{}, lasting: map[string]*node{}}
}

// edit is a change of a file: data written at a place, or the end put there.
type edit struct {
	at       int64
	data     []byte
	truncate bool
}

// move is a change of the names in a folder, made as a whole.
type move []entry

type entry struct {
	name string
	node *node // nil: the name goes
}

func (n *node) edit(e edit) {
	n.data = e.apply(n.data)
	n.pending = append(n.pending, e)
}

func (e edit) apply(b []byte) []byte {
	if e.truncate {
		return resize(b, e.at)
	}
	if end := e.at + int64(len(e.data)); len(e.data) > 0 && end > int64(len(b)) {
		b = resize(b, end)
	}
	copy(b[min(e.at, int64(len(b))):], e.data)
	return b
}

// resize cuts b, or fills it up with zeros.
func resize(b []byte, size int64) []byte {
	if n := size - int64(len(b)); n > 0 {
		return append(b, make([]byte, n)...)
	}
	return b[:size]
}

func (n *node) move(entries ...entry) {
	move(entries).apply(n.names)
	n.moves = append(n.moves, entries)
}

func (m move) apply(names map[string]*node) {
	for _, e := range m {
		if e.node == nil {
			delete(names, e.name)
		} else {
			names[e.name] = e.node
		}
	}
}

// clean is the path from the root in slashes, "." for the root.
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(name)), "/")
}

// find is the node at a path.
func (m *Memory) find(name string) (*node, error) {
	n := m.root
	for part := range strings.SplitSeq(clean(name), "/") {
		switch {
		case part == "":
			continue
		case !n.folder:
			return nil, syscall.ENOTDIR
		case n.names[part] == nil:
			return nil, syscall.ENOENT
		}
		n = n.names[part]
	}
	return n, nil
}

// parent is the folder of a path and the name in it, with the node of that name
// or nil.
func (m *Memory) parent(name string) (folder *node, base string, n *node, err error) {
	name = clean(name)
	if name == "" {
		return nil, "", nil, syscall.EBUSY // the root
	}
	if folder, err = m.find(path.Dir(name)); err != nil {
		return nil, "", nil, err
	}
	if !folder.folder {
		return nil, "", nil, syscall.ENOTDIR
	}
	base = path.Base(name)
	return folder, base, folder.names[base], nil
}

func (m *Memory) Create(name string) (disk.Writer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.create(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return h, nil
}

func (m *Memory) create(name string) (*handle, error) {
	if _, err := m.do(Op{Kind: "create", Path: name}); err != nil {
		return nil, err
	}
	folder, base, n, err := m.parent(name)
	switch {
	case err != nil:
		return nil, err
	case n != nil:
		return nil, syscall.EEXIST
	}
	n = &node{}
	folder.move(entry{base, n})
	return &handle{m: m, node: n, path: name, writes: true}, nil
}

func (m *Memory) Open(name string) (disk.Reader, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.look("open", name)
	if err == nil && n.folder {
		err = syscall.EISDIR
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &handle{m: m, node: n, path: name}, nil
}

// look finds a node for an operation that changes nothing.
func (m *Memory) look(kind, name string) (*node, error) {
	if _, err := m.do(Op{Kind: kind, Path: name}); err != nil {
		return nil, err
	}
	return m.find(name)
}

func (m *Memory) Edit(name string) (disk.Editor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	h, err := m.edit(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return h, nil
}

func (m *Memory) edit(name string) (*handle, error) {
	_, _, n, err := m.parent(name)
	if err == nil && n == nil {
		return m.create(name)
	}
	if _, err := m.do(Op{Kind: "edit", Path: name}); err != nil {
		return nil, err
	}
	switch {
	case err != nil:
		return nil, err
	case n.folder:
		return nil, syscall.EISDIR
	}
	return &handle{m: m, node: n, path: name, writes: true}, nil
}

// Rename from one folder to another is a change in each, and a crash may leave
// one without the other.
func (m *Memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.rename(from, to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

func (m *Memory) rename(from, to string) error {
	if _, err := m.do(Op{Kind: "rename", Path: from, To: to}); err != nil {
		return err
	}
	source, old, n, err := m.parent(from)
	if err != nil {
		return err
	}
	target, base, there, err := m.parent(to)
	switch {
	case err != nil:
		return err
	case n == nil:
		return syscall.ENOENT
	case there == n:
		return nil
	case there != nil && there.folder: // rename(2) replaces an empty one, os.Rename does not
		return syscall.EEXIST
	case there != nil && n.folder:
		return syscall.ENOTDIR
	case n.folder && strings.HasPrefix(clean(to)+"/", clean(from)+"/"):
		return syscall.EINVAL
	}
	if source == target {
		source.move(entry{old, nil}, entry{base, n})
		return nil
	}
	target.move(entry{base, n})
	source.move(entry{old, nil})
	return nil
}

func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.remove(name); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	return nil
}

func (m *Memory) remove(name string) error {
	if _, err := m.do(Op{Kind: "remove", Path: name}); err != nil {
		return err
	}
	folder, base, n, err := m.parent(name)
	switch {
	case err != nil:
		return err
	case n == nil:
		return syscall.ENOENT
	case len(n.names) > 0:
		return syscall.ENOTEMPTY
	}
	folder.move(entry{base, nil})
	return nil
}

func (m *Memory) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.mkdir(name); err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return nil
}

func (m *Memory) mkdir(name string) error {
	if _, err := m.do(Op{Kind: "mkdir", Path: name}); err != nil {
		return err
	}
	if clean(name) == "" {
		return syscall.EEXIST
	}
	folder, base, n, err := m.parent(name)
	switch {
	case err != nil:
		return err
	case n != nil:
		return syscall.EEXIST
	}
	folder.move(entry{base, newFolder()})
	return nil
}

func (m *Memory) ReadDir(name string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, err := m.look("readDir", name)
	if err == nil && !n.folder {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	names := make([]string, 0, len(n.names))
	for name := range n.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

func (m *Memory) SyncFolder(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.do(Op{Kind: "syncFolder", Path: name}); err != nil {
		return &fs.PathError{Op: "sync", Path: name, Err: err}
	}
	n, err := m.find(name)
	if err == nil && !n.folder {
		err = syscall.ENOTDIR
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	for _, move := range n.moves {
		move.apply(n.lasting)
	}
	n.moves = nil
	return nil
}
