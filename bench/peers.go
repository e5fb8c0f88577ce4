package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed peers
var sources embed.FS

// onnxHeader is the module that has the header of ONNX Runtime's C API, which
// pip's package of the library lacks. The library takes any older one.
const onnxHeader = "github.com/yalue/onnxruntime_go@v1.27.0"

// peer is who can be measured.
type peer struct {
	name    string
	hint    string                                                   // how to get it
	prepare func(ctx context.Context, w *workshop) ([]string, error) // the command of a child, without the number of threads
	threads bool                                                     // the command's last argument is that number
}

// self is a child of this program. The limits and Sluice are always measured.
func self(context.Context, *workshop) ([]string, error) {
	path, err := os.Executable()
	return []string{path, sluiceChild}, err
}

var (
	limits = peer{name: "limits", prepare: self}
	sluice = peer{name: "sluice", prepare: self}
	others = []peer{
		{name: "onednn", hint: "apt-get install g++ libdnnl-dev", prepare: func(ctx context.Context, w *workshop) ([]string, error) {
			return w.compile(ctx, "onednn.cpp", "-O2", "-fopenmp", "-ldnnl")
		}},
		{name: "ort", hint: "apt-get install g++; pip install onnxruntime; -python PATH", prepare: prepareORT},
		{name: "torch", hint: "pip install torch; -python PATH", threads: true, prepare: func(_ context.Context, w *workshop) ([]string, error) {
			return []string{w.python, filepath.Join(w.dir, "peers", "torch_peer.py")}, nil
		}},
	}
)

func prepareORT(ctx context.Context, w *workshop) ([]string, error) {
	library, err := w.output(ctx, w.python, "-c", `
import glob, os, onnxruntime
print(glob.glob(os.path.join(os.path.dirname(onnxruntime.__file__), "capi", "libonnxruntime.so*"))[0])`)
	if err != nil {
		return nil, err
	}
	module, err := w.output(ctx, "go", "mod", "download", "-json", onnxHeader)
	if err != nil {
		return nil, err
	}
	var header struct{ Dir string }
	if err := json.Unmarshal([]byte(module), &header); err != nil {
		return nil, fmt.Errorf("go mod download: %w", err)
	}
	command, err := w.compile(ctx, "ort.cpp", "-O2", "-isystem", header.Dir, "-ldl")
	return append(command, library), err
}

// workshop is a temporary folder with the sources of the peers, and what is
// made of them.
type workshop struct{ dir, python string }

func newWorkshop(python string) (*workshop, error) {
	dir, err := os.MkdirTemp("", "sluice-bench-")
	if err != nil {
		return nil, err
	}
	w := &workshop{dir, python}
	if err := os.CopyFS(dir, sources); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *workshop) close() { os.RemoveAll(w.dir) }

// compile makes a program of a C++ file, flags after it.
func (w *workshop) compile(ctx context.Context, file string, flags ...string) ([]string, error) {
	program := filepath.Join(w.dir, strings.TrimSuffix(file, ".cpp"))
	args := append([]string{"-std=c++17", filepath.Join("peers", file), "-o", program}, flags...)
	_, err := w.output(ctx, "g++", args...)
	return []string{program}, err
}

// output runs a command in the folder.
func (w *workshop) output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = w.dir
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("%s: %s", name, gist(string(failed.Stderr)+string(out)))
	}
	return strings.TrimSpace(string(out)), err
}

// bench keeps the children, one for each side and number of threads.
type bench struct {
	ctx      context.Context
	workshop *workshop
	commands map[string][]string // of the peers that are here, by name
	children map[seat]*child
}

type seat struct {
	side    string
	threads int
}

// add makes a peer available, or says why not. It returns name and version.
func (b *bench) add(p peer) (string, error) {
	command, err := p.prepare(b.ctx, b.workshop)
	if err != nil {
		return "", err
	}
	b.commands[p.name] = command
	c, err := b.child(side{name: p.name, peer: p}, 1) // to see whether it starts
	if err != nil {
		delete(b.commands, p.name)
		return "", err
	}
	return c.name, nil
}

// child is that of a side, started if it does not run.
func (b *bench) child(s side, threads int) (*child, error) {
	at := seat{s.name, threads}
	if c := b.children[at]; c != nil && !c.gone {
		return c, nil
	}
	command := b.commands[s.peer.name]
	if s.peer.threads {
		command = append(command[:len(command):len(command)], strconv.Itoa(threads))
	}
	c, err := startChild(b.ctx, command, threads)
	if err != nil {
		return nil, err
	}
	b.children[at] = c
	return c, nil
}

func (b *bench) close() {
	for _, c := range b.children {
		c.close()
	}
}
