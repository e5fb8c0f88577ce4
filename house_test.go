package sluice_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// house lists the rooms from top to bottom, rooms side by side on one floor. A
// room imports rooms below it, never above or beside it. A folder in a room is
// part of it. "." is the module's root.
var house = [][]string{
	{"."},
	{"cmd/sluice"},
	{"serve", "lab"},
	{"train", "convert", "look", "internal/measure"},
	{"model"},
	{"metrics"},
	{"data", "datasets"},
	{"optim"},
	{"rnn"},
	{"nn"},
	{"safetensors", "internal/npz"},
	{"internal/disk/disktest"},
	{"internal/disk"},
	{"internal/kernel"},
	{"internal/cpu"},
	{"internal/ref"},
	{"internal/asm"},
}

// forTests are the rooms that only tests import.
var forTests = []string{"internal/disk/disktest", "internal/ref"}

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath  string
	Name        string
	Doc         string // the first sentence of the package comment
	Module      struct{ Path string }
	Imports     []string
	TestImports []string // of the tests inside of the package; a package foo_test may look up
	Error       *struct{ Err string }
}

// path is the package's folder, from the module's root.
func (p pkg) path() string { return inside(p.Module.Path, p.ImportPath) }

// inside is the folder of a package of the module, "" for any other package.
func inside(module, path string) string {
	if path == module {
		return "."
	}
	folder, ok := strings.CutPrefix(path, module+"/")
	if !ok {
		return ""
	}
	return folder
}

// room finds the room of a folder and its floor, counted from the top. A room
// that lies in the folder of another stands above it.
func room(folder string) (name string, floor int, ok bool) {
	for floor, rooms := range house {
		for _, r := range rooms {
			if folder == r || strings.HasPrefix(folder, r+"/") {
				return r, floor, true
			}
		}
	}
	return "", 0, false
}

// judge says what is wrong with the imports of packages, a line for each wrong.
func judge(packages []pkg) (wrongs []string) {
	for _, p := range packages {
		from, floor, ok := room(p.path())
		if !ok {
			wrongs = append(wrongs, fmt.Sprintf("%s is in no room of the house: add it to the list in house_test.go and to doc.go", p.path()))
			continue
		}
		imports := slices.Concat(p.Imports, p.TestImports)
		slices.Sort(imports)
		for _, i := range slices.Compact(imports) {
			folder := inside(p.Module.Path, i)
			to, below, ok := room(folder)
			arrow := fmt.Sprintf("%s imports %s: ", p.path(), folder)
			switch {
			case folder == "" || to == from:
			case !ok: // a wrong of its own
			case below < floor:
				wrongs = append(wrongs, arrow+"the arrow points up")
			case below == floor:
				wrongs = append(wrongs, arrow+"rooms side by side do not import each other")
			case slices.Contains(forTests, to) && slices.Contains(p.Imports, i):
				wrongs = append(wrongs, arrow+"only tests may")
			}
		}
	}
	return wrongs
}

// TestHouse reads the imports of this module as every kind of system sees them.
func TestHouse(t *testing.T) {
	watch(t, ".")
	for _, system := range []string{"linux/amd64", "linux/arm64", "windows/amd64", "darwin/arm64", "js/wasm", "linux/amd64 purego"} {
		t.Run(system, func(t *testing.T) {
			packages, err := list(".", system)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(packages, func(p pkg) bool { return p.path() == "." }) {
				t.Fatal("go list does not show the module's root")
			}
			for _, wrong := range judge(packages) {
				t.Error(wrong)
			}
			for _, p := range packages {
				if p.Error != nil && !t.Failed() { // an arrow that points up says more than the cycle that it closes
					t.Errorf("go list: %s: %s", p.path(), p.Error.Err)
				}
			}
		})
	}
}

// TestPackageComments wants each package to say what it is.
func TestPackageComments(t *testing.T) {
	watch(t, ".")
	packages, err := list(".", "linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command " + filepath.Base(p.ImportPath) + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s: the package comment begins with %q, want %q", p.path(), p.Doc, want+"…")
		}
	}
}

// list is `go list -json ./...` in a folder, for "os/arch" or "os/arch tags".
// It shows a package with errors too: most arrows that point up close a cycle.
func list(dir, system string) ([]pkg, error) {
	system, tags, _ := strings.Cut(system, " ")
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.Command("go", "list", "-e", "-tags="+tags, "-json=ImportPath,Name,Doc,Module,Imports,TestImports,Error", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	var packages []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		packages = append(packages, p)
	}
}

// watch reads the folders that `go list` reads, so that go test takes no result
// from its cache after a file of theirs has changed.
func watch(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		hidden := path != root && strings.ContainsAny(d.Name()[:1], "._")
		if err == nil && d.IsDir() && (hidden || d.Name() == "testdata" || path == "runs") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestJudge gives invented houses to the judge.
func TestJudge(t *testing.T) {
	p := func(path string, imports ...string) pkg {
		p := pkg{ImportPath: path}
		p.Module.Path = "m"
		for _, i := range imports {
			if test, ok := strings.CutPrefix(i, "test:"); ok {
				p.TestImports = append(p.TestImports, test)
			} else {
				p.Imports = append(p.Imports, i)
			}
		}
		return p
	}
	const up, beside, tests = ": the arrow points up", ": rooms side by side do not import each other", ": only tests may"
	for _, c := range []struct {
		name     string
		packages []pkg
		want     []string
	}{
		{"nothing", nil, nil},
		{"arrows down", []pkg{
			p("m"),
			p("m/cmd/sluice", "fmt", "m/train", "m/serve", "m/convert", "github.com/else/train"),
			p("m/train", "m/model", "m/data", "m/nn"),
			p("m/rnn", "m/internal/kernel", "m/nn"),
		}, nil},
		{"up", []pkg{p("m/nn", "fmt", "m/rnn")}, []string{"nn imports rnn" + up}},
		{"up by one of many", []pkg{p("m/rnn", "m/nn", "m/model", "m/internal/kernel")}, []string{"rnn imports model" + up}},
		{"up to the top", []pkg{p("m/internal/asm", "m/cmd/sluice")}, []string{"internal/asm imports cmd/sluice" + up}},
		{"up to the root", []pkg{p("m/cmd/sluice", "m")}, []string{"cmd/sluice imports ." + up}},
		{"up in a test", []pkg{p("m/data", "test:m/model")}, []string{"data imports model" + up}},
		{"up in code and test", []pkg{p("m/data", "m/model", "test:m/model")}, []string{"data imports model" + up}},
		{"beside", []pkg{p("m/serve", "m/lab"), p("m/convert", "m/train")}, []string{"serve imports lab" + beside, "convert imports train" + beside}},
		{"beside in a test", []pkg{p("m/lab", "test:m/serve")}, []string{"lab imports serve" + beside}},
		{"within a room", []pkg{p("m/serve", "m/serve/session"), p("m/serve/session", "m/serve/store", "m/model")}, nil},
		{"up from within", []pkg{p("m/serve/session", "m/cmd/sluice/flags")}, []string{"serve/session imports cmd/sluice/flags" + up}},
		{"a name that only begins like a room", []pkg{p("m/nnx"), p("m/internal/kernels")}, []string{
			"nnx is in no room of the house: add it to the list in house_test.go and to doc.go",
			"internal/kernels is in no room of the house: add it to the list in house_test.go and to doc.go",
		}},
		{"an unknown folder counts once", []pkg{p("m/model", "m/attic"), p("m/attic", "m/cmd/sluice")}, []string{
			"attic is in no room of the house: add it to the list in house_test.go and to doc.go",
		}},
		{"another module of a like name", []pkg{p("m/nn", "m2/rnn", "mm", "x/m/rnn")}, nil},
		{"the reference in a test", []pkg{p("m/rnn", "test:m/internal/ref"), p("m/model", "test:m/internal/ref"), p("m/internal/ref", "test:m/internal/ref")}, nil},
		{"the reference in code", []pkg{p("m/rnn", "m/internal/ref", "test:m/internal/ref"), p("m/train", "m/internal/ref")}, []string{
			"rnn imports internal/ref" + tests, "train imports internal/ref" + tests,
		}},
		{"a room in a room", []pkg{p("m/internal/disk/disktest", "m/internal/disk"), p("m/internal/disk", "test:m/internal/disk/disktest"), p("m/safetensors", "m/internal/disk/disktest")}, []string{
			"internal/disk imports internal/disk/disktest" + up, "safetensors imports internal/disk/disktest" + tests,
		}},
		{"the reference looks up", []pkg{p("m/internal/ref", "test:m/rnn")}, []string{"internal/ref imports rnn" + up}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := judge(c.packages); !slices.Equal(got, c.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

// TestList reads the imports of a small module that breaks the rules in its
// code, in its tests and in files of one system.
func TestList(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":            "module sluice\n\ngo 1.26.0\n",
		"nn/nn.go":          "package nn\n\nimport _ \"sluice/rnn\"\n",
		"rnn/rnn.go":        "// Package rnn is small.\npackage rnn\n\nimport _ \"sluice/safetensors\"\n",
		"safetensors/st.go": "package safetensors\n\nimport _ \"sluice/nn\"\n", // a cycle
		"rnn/rnn_test.go":   "package rnn\n\nimport _ \"sluice/data\"\n",
		"rnn/rnn_arm64.go":  "package rnn\n\nimport _ \"sluice/optim\"\n",
		"rnn/noasm.go":      "//go:build purego\n\npackage rnn\n\nimport _ \"sluice/model\"\n",
		"data/data.go":      "package data\n",
		"optim/optim.go":    "package optim\n",
		"model/model.go":    "package model\n\nimport _ \"sluice/internal/ref\"\n",
		"internal/ref/r.go": "package ref\n",
		"attic/attic.go":    "package attic\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	everywhere := []string{
		"attic is in no room of the house: add it to the list in house_test.go and to doc.go",
		"model imports internal/ref: only tests may",
		"nn imports rnn: the arrow points up",
		"rnn imports data: the arrow points up",
		"safetensors imports nn: the arrow points up",
	}
	for system, more := range map[string]string{
		"linux/amd64":        "",
		"linux/arm64":        "rnn imports optim: the arrow points up",
		"linux/amd64 purego": "rnn imports model: the arrow points up",
	} {
		packages, err := list(dir, system)
		if err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(everywhere)
		if more != "" {
			want = append(want, more)
			slices.Sort(want)
		}
		if got := judge(packages); !slices.Equal(got, want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", system, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
		i := slices.IndexFunc(packages, func(p pkg) bool { return p.path() == "rnn" })
		if i < 0 || packages[i].Doc != "Package rnn is small." {
			t.Errorf("%s: go list does not show rnn's package comment", system)
		}
	}
}
