package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sluice": main})
}

// single are scripts without goroutines of their own, which -short leaves out: the race
// detector has no use for them, and takes minutes for their many processes.
var single = []string{"bench", "convert", "data", "errors", "unfit", "words"}

// The scripts read as documentation of the command.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		files = slices.DeleteFunc(files, func(f string) bool { return slices.Contains(single, strings.TrimSuffix(filepath.Base(f), ".txtar")) })
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"fails": func(ts *testscript.TestScript, _ bool, args []string) { fails(ts, exitFailed, args) },
			"usage": func(ts *testscript.TestScript, _ bool, args []string) { fails(ts, exitUsage, args) },
			"edit":  edit,
			"unhex": unhex,
			"cut":   cut,
		},
	})
}

// fails runs sluice and wants a status and one line on standard error.
func fails(ts *testscript.TestScript, status int, args []string) {
	err := ts.Exec("sluice", args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != status {
		ts.Fatalf("sluice %s: %v, want status %d", strings.Join(args, " "), err, status)
	}
	line := ts.ReadFile("stderr")
	if !strings.HasPrefix(line, "sluice: ") || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		ts.Fatalf("standard error %q: want one line from sluice", line)
	}
	if out := ts.ReadFile("stdout"); out != "" {
		ts.Fatalf("standard output %q: want none", out)
	}
}

// edit FROM TO cut writes the first 1,000 bytes; edit FROM TO OLD NEW changes
// text in a file.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(args) == 3 {
		b = b[:1000]
	} else {
		b = bytes.Replace(b, []byte(args[2]), []byte(args[3]), 1)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o666))
}

// unhex FROM TO writes bytes that a script cannot hold.
func unhex(ts *testscript.TestScript, _ bool, args []string) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(ts.ReadFile(args[0])), ""))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o666))
}

// cut FILE drops the last line of a file, as if the program had been killed
// before it wrote it.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	end := bytes.LastIndexByte(b[:len(b)-1], '\n') + 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b[:end], 0o666))
}
