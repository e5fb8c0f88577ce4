package torchfile

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nlpodyssey/gopickle/types"
)

// namer walks over what a pickle holds and names its tensors.
type namer struct {
	file      *File
	path      []any // the keys that lead to the value: strings, numbers
	seen      map[string]bool
	visits    int   // left; a pickle makes no value without an opcode, and no tensor without tensorOpcodes
	nameBytes int   // left
	readBytes int64 // left
}

// list names the tensors of a pickle's value. The pickle has so many bytes and
// opcodes, the file so many bytes.
func list(value any, pickleLen, opcodes int, size int64) (*File, error) {
	n := &namer{
		file:      &File{},
		seen:      map[string]bool{},
		visits:    opcodes,
		nameBytes: 4*pickleLen + 4096,
		readBytes: maxUses * (size + maxInflated),
	}
	if err := n.walk(value); err != nil {
		return nil, err
	}
	return n.file, nil
}

func (n *namer) walk(value any) error {
	if n.visits--; n.visits < 0 {
		return errVisits
	}
	switch v := value.(type) {
	case *rebuilt:
		return n.tensor(v)
	case *types.Dict:
		return n.dict(*v)
	case *orderedDict:
		return n.orderedDict(v)
	case *types.List:
		return n.items(*v)
	case *types.Tuple:
		return n.items(*v)
	}
	if others := &n.file.Others; len(*others) < maxOthers {
		name, err := n.joined()
		if err != nil {
			return err
		}
		*others = append(*others, name)
	}
	return nil
}

// enter walks over the value of a key.
func (n *namer) enter(key, value any) error {
	if len(n.path) == MaxDepth {
		return invalidf("lists and dicts nest deeper than %d", MaxDepth)
	}
	n.path = append(n.path, key)
	err := n.walk(value)
	n.path = n.path[:len(n.path)-1]
	return err
}

// item walks over the i-th item of a dict. A key that is neither a string nor a
// number leaves its place for a name.
func (n *namer) item(i int, key, value any) error {
	switch key.(type) {
	case string, int:
		return n.enter(key, value)
	}
	return n.enter(fmt.Sprintf("<%d>", i), value)
}

func (n *namer) dict(d types.Dict) error {
	for i, e := range d {
		if err := n.item(i, e.Key, e.Value); err != nil {
			return err
		}
	}
	return nil
}

func (n *namer) orderedDict(d *orderedDict) error {
	for i, e := range *d.first {
		pair, ok := e.(*types.List)
		if !ok || pair.Len() != 2 {
			return invalidf("OrderedDict of a %T, want a list of key and value", e)
		}
		if err := n.item(i, pair.Get(0), pair.Get(1)); err != nil {
			return err
		}
	}
	return n.dict(d.items)
}

func (n *namer) items(l []any) error {
	for i, v := range l {
		if err := n.enter(i, v); err != nil {
			return err
		}
	}
	return nil
}

func (n *namer) tensor(r *rebuilt) error {
	name, err := n.joined()
	if err != nil {
		return err
	}
	if n.seen[name] {
		return invalidf("two tensors have the name %.80q", name)
	}
	n.seen[name] = true
	t, err := r.tensor(name)
	if err != nil {
		return err
	}
	if n.visits -= tensorOpcodes - 1; n.visits < 0 {
		return errVisits
	}
	elements, _ := product(t.Shape)
	n.readBytes -= int64(min(elements, t.elements)) * int64(dtypes[t.DType])
	if n.readBytes < 0 {
		return invalidf("tensor %.80q: the tensors to there share storages and read more than %d times the file", name, maxUses)
	}
	n.file.Tensors = append(n.file.Tensors, t)
	return nil
}

// tensorOpcodes is less than the opcodes of any tensor.
const tensorOpcodes = 16

var errVisits = invalidf("more entries than the pickle has opcodes: a list, dict or tensor is held by many, or by itself")

var errNames = invalidf("the names of the tensors are in all much longer than the pickle")

// joined is the name of the value that the path leads to.
func (n *namer) joined() (string, error) {
	var b strings.Builder
	for i, key := range n.path {
		if i > 0 {
			b.WriteByte('.')
		}
		switch k := key.(type) {
		case string:
			if len(k) > n.nameBytes-b.Len() {
				return "", errNames
			}
			b.WriteString(k)
		case int:
			b.WriteString(strconv.Itoa(k))
		}
	}
	if n.nameBytes -= b.Len(); n.nameBytes < 0 {
		return "", errNames
	}
	if name := b.String(); utf8.ValidString(name) {
		return name, nil
	}
	return "", invalidf("name %.80q is no UTF-8", b.String())
}
