package sluice_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The programs of the documentation compile.
func TestPrograms(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(text), "```go\n") {
			program, _, _ := strings.Cut(part, "```")
			if !strings.HasPrefix(program, "package main") {
				continue
			}
			programs++
			file := filepath.Join(t.TempDir(), "main.go")
			if err := os.WriteFile(file, []byte(program), 0o666); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("go", "vet", file).CombinedOutput(); err != nil {
				t.Errorf("%s: program %d: %v\n%s", page, programs, err, out)
			}
		}
	}
	if programs < 10 {
		t.Errorf("%d programs, want those of library.md at least", programs)
	}
}
