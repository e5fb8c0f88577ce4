package disktest

import (
	"errors"
	"fmt"
	"slices"
)

// ErrCrashed is what every call returns from the crash on.
var ErrCrashed = errors.New("disktest: crashed")

// Op is an operation on a Memory, as it was asked for.
type Op struct {
	Kind string // one of changes, or "open", "edit" (of a file that exists), "read", "size", "readDir"
	Path string
	To   string // of a rename
	Size int    // bytes of a write or a read, the new size of a truncate
}

// changes are the kinds of operations that change something, which count.
var changes = []string{"create", "write", "truncate", "sync", "close", "rename", "remove", "mkdir", "syncFolder"}

func (o Op) String() string {
	switch {
	case o.To != "":
		return fmt.Sprintf("%s %s to %s", o.Kind, o.Path, o.To)
	case o.Size > 0:
		return fmt.Sprintf("%s %s, %d bytes", o.Kind, o.Path, o.Size)
	}
	return o.Kind + " " + o.Path
}

// Fault decides the fate of an operation: it happens, or does nothing and
// returns the error. ErrCrashed ends the Memory. i counts from 0 the operations
// that change something; it is −1 for one that only reads. A Fault is called
// with the Memory locked.
type Fault func(i int, op Op) error

// At fails operation i.
func At(i int, err error) Fault {
	return func(j int, _ Op) error {
		if j == i {
			return err
		}
		return nil
	}
}

// From fails operation i and all that change something after it.
func From(i int, err error) Fault {
	return func(j int, _ Op) error {
		if j >= i {
			return err
		}
		return nil
	}
}

// On fails every operation of a kind, one that reads among them.
func On(kind string, err error) Fault {
	return func(_ int, op Op) error {
		if op.Kind == kind {
			return err
		}
		return nil
	}
}

// half is an error of a write that comes after half of the bytes.
type half struct{ error }

// Half is err, and a write that fails with it writes half of its bytes before.
func Half(err error) error { return half{err} }

// Inject sets the faults of the operations to come; nil sets none. The first of
// several that returns an error decides.
func (m *Memory) Inject(faults ...Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = func(i int, op Op) error {
		for _, fault := range faults {
			if err := fault(i, op); err != nil {
				return err
			}
		}
		return nil
	}
}

// Ops lists the operations so far that change something, the failed ones among
// them, up to a crash.
func (m *Memory) Ops() []Op {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ops)
}

// Crashed tells whether an operation has met ErrCrashed.
func (m *Memory) Crashed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.crashed
}

// do counts an operation and lets the fault decide. fit is the number of bytes
// that a write may write.
func (m *Memory) do(op Op) (fit int, err error) {
	if m.crashed {
		return 0, ErrCrashed
	}
	i := -1
	if slices.Contains(changes, op.Kind) {
		i = len(m.ops)
		m.ops = append(m.ops, op)
	}
	if m.fault != nil {
		err = m.fault(i, op)
	}
	if err == nil {
		return op.Size, nil
	}
	if h, ok := err.(half); ok {
		fit, err = op.Size/2, h.error
	}
	m.crashed = errors.Is(err, ErrCrashed)
	return fit, err
}
