package disktest

import (
	"io"
	"io/fs"
	"slices"
	"syscall"
)

// handle is an open file.
type handle struct {
	m      *Memory
	node   *node
	path   string
	writes bool
	at     int64 // where Write writes
	closed bool
}

// do is Memory.do for the open file.
func (h *handle) do(kind string, size int) (fit int, err error) {
	if h.closed {
		return 0, fs.ErrClosed
	}
	return h.m.do(Op{Kind: kind, Path: h.path, Size: size})
}

// fail is err as package os would return it.
func (h *handle) fail(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &fs.PathError{Op: op, Path: h.path, Err: err}
}

func (h *handle) Write(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	n, err := h.write(p, h.at)
	h.at += int64(n)
	return n, err
}

func (h *handle) WriteAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return h.write(p, off)
}

func (h *handle) write(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, h.fail("write", syscall.EINVAL)
	}
	n, err := h.do("write", len(p))
	if n > 0 {
		h.node.edit(edit{at: off, data: slices.Clone(p[:n])})
	}
	return n, h.fail("write", err)
}

func (h *handle) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if size < 0 {
		return h.fail("truncate", syscall.EINVAL)
	}
	_, err := h.do("truncate", int(size))
	if err == nil {
		h.node.edit(edit{at: size, truncate: true})
	}
	return h.fail("truncate", err)
}

// Sync makes the content last. When it fails, what was to last by it never
// will, and a later Sync that succeeds does not say so: as on Linux.
func (h *handle) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	_, err := h.do("sync", 0)
	if err == nil {
		for _, e := range h.node.pending {
			h.node.synced = e.apply(h.node.synced)
		}
	}
	if !h.m.crashed && !h.closed {
		h.node.pending = nil
	}
	return h.fail("sync", err)
}

func (h *handle) Close() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	var err error
	switch {
	case h.closed:
		err = fs.ErrClosed
	case h.writes:
		_, err = h.do("close", 0)
	}
	h.closed = true
	return h.fail("close", err)
}

func (h *handle) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	_, err := h.do("size", 0)
	if err != nil {
		return 0, h.fail("stat", err)
	}
	return int64(len(h.node.data)), nil
}

func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if off < 0 {
		return 0, h.fail("read", syscall.EINVAL)
	}
	if _, err := h.do("read", len(p)); err != nil {
		return 0, h.fail("read", err)
	}
	n := copy(p, h.node.data[min(off, int64(len(h.node.data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
