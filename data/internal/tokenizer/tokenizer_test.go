package tokenizer

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// golden is what testdata/goldens.py wrote of one tokenizer.
type golden struct {
	Name  string
	Size  int
	Cases []struct {
		Text    string
		IDs     []int32
		Decoded string
	}
}

func goldens(t testing.TB) (all []golden) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "goldens.json"))
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func load(t testing.TB, name string) *Tokenizer {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	k, err := Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return k
}

func encode(t testing.TB, k *Tokenizer, text string) []int32 {
	t.Helper()
	ids, err := k.NewEncoder().Append(nil, text, false)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func decode(k *Tokenizer, ids []int32) string {
	var b []byte
	d := k.NewDecoder()
	for _, id := range ids {
		b = d.Append(b, id)
	}
	return string(b)
}

func TestGoldens(t *testing.T) {
	for _, g := range goldens(t) {
		k := load(t, g.Name)
		if k.Size() != g.Size {
			t.Errorf("%s: %d tokens, want %d", g.Name, k.Size(), g.Size)
		}
		for _, c := range g.Cases {
			if ids := encode(t, k, c.Text); !slices.Equal(ids, c.IDs) {
				t.Errorf("%s: %q: ids\n%v, want\n%v", g.Name, c.Text, ids, c.IDs)
			}
			if text := decode(k, c.IDs); text != c.Decoded {
				t.Errorf("%s: %v: text\n%q, want\n%q", g.Name, c.IDs, text, c.Decoded)
			}
		}
	}
}
