package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each file can be fetched and told from another.
func TestAll(t *testing.T) {
	list := All()
	if !slices.IsSortedFunc(list, func(a, b Dataset) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not by name")
	}
	for _, d := range list {
		if d.About == "" || d.Licence == "" || len(d.Files) == 0 {
			t.Errorf("%s: %+v", d.Name, d)
		}
		parts := map[string]bool{}
		for _, f := range d.Files {
			parts[f.Part] = true
			if !slices.Contains([]string{"", "train", "dev", "test"}, f.Part) {
				t.Errorf("%s/%s: part %q", d.Name, f.Name, f.Part)
			}
			if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size || f.Bytes <= 0 || f.Name != path.Base(f.Name) {
				t.Errorf("%s: %+v", d.Name, f)
			}
			if f.URL == "" {
				continue
			}
			u, err := url.Parse(f.URL)
			if err != nil || u.Scheme != "https" || path.Base(u.Path) != f.Name {
				t.Errorf("%s: address %q: %v", d.Name, f.URL, err)
			}
		}
		if len(parts) > 1 && (parts[""] || !parts["train"] || !parts["test"]) {
			t.Errorf("%s is divided into %v: want train and test, and each file in a part", d.Name, parts)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		name  string
		files int
		err   string
	}{
		{"ewt", 3, ""}, {"ewt/en_ewt-ud-dev.conllu", 1, ""},
		{"etw", 0, `datasets: no dataset "etw": there are airline, etth1, ewt, `},
		{"ewt/x", 0, `datasets: no file "x" in ewt: there are en_ewt-ud-train.conllu, `},
		{"", 0, `datasets: no dataset "": there are `}, {"/ewt", 0, `datasets: no dataset "/ewt": there are `},
	} {
		d, err := Find(c.name)
		if len(d.Files) != c.files || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%q: %d files, error %v, want %d, %q", c.name, len(d.Files), err, c.files, c.err)
		}
	}
}

// two is a dataset with files of these contents.
func two(contents ...string) Dataset {
	d := Dataset{Name: "two"}
	for i, c := range contents {
		sum := sha256.Sum256([]byte(c))
		d.Files = append(d.Files, File{Name: string(rune('a'+i)) + ".txt", Bytes: int64(len(c)), SHA256: hex.EncodeToString(sum[:])})
	}
	return d
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o666)); err != nil {
		t.Fatal(err)
	}
}

// files are all below a folder.
func files(t *testing.T, folder string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What is fetched is kept and not fetched again; what is not as it was published
// is fetched again, and never given.
func TestGet(t *testing.T) {
	d := two("one", "another")
	var asked []string
	served := map[string]string{"/two/a.txt": "one", "/two/b.txt": "another"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		text, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Write([]byte(text))
	}))
	defer server.Close()
	for name, s := range map[string]Store{
		"mirror": {Folder: t.TempDir(), Mirror: server.URL + "/"},
		"source": {Folder: t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			d := d
			d.Files = slices.Clone(d.Files)
			if s.Mirror == "" {
				d.Files = at(server.URL+"/two/", d.Files...)
			}
			if s.Has(d) {
				t.Error("it is there already")
			}
			asked = nil
			get := func(want ...string) {
				t.Helper()
				asked = nil
				paths, err := s.Get(t.Context(), d)
				if err != nil || len(paths) != 2 || !s.Has(d) {
					t.Fatal(paths, err)
				}
				for i, text := range []string{"one", "another"} {
					if b, err := os.ReadFile(paths[i]); err != nil || string(b) != text {
						t.Errorf("%s: %q, %v", paths[i], b, err)
					}
				}
				if !slices.Equal(asked, want) {
					t.Errorf("asked for %v, want %v", asked, want)
				}
			}
			get("/two/a.txt", "/two/b.txt")
			get()
			put(t, s.Path(d, d.Files[1]), "anothex") // as long
			get("/two/b.txt")
			put(t, s.Path(d, d.Files[0]), "")
			get("/two/a.txt")
		})
	}

	s := Store{Folder: t.TempDir(), Mirror: server.URL}
	for text, want := range map[string]string{
		"onf":     "sha256 ",
		"one!":    "more than the 3 bytes that were published",
		"on":      "2 bytes, and 3 were published",
		"missing": "404 Not Found: want SLUICE_MIRROR to name a folder or an address that has it",
	} {
		if served["/two/a.txt"] = text; text == "missing" {
			delete(served, "/two/a.txt")
		}
		_, err := s.Get(t.Context(), d)
		if err == nil || !strings.HasPrefix(err.Error(), "datasets: two/a.txt: "+server.URL+"/two/a.txt: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if left := files(t, s.Folder); len(left) > 0 {
			t.Errorf("%s: %v is left", text, left)
		}
	}
}

// A folder is a mirror, too.
func TestMirrorFolder(t *testing.T) {
	s, d := Store{Folder: t.TempDir(), Mirror: t.TempDir()}, two("one", "another")
	if _, err := s.Get(t.Context(), d); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	put(t, filepath.Join(s.Mirror, "two", "a.txt"), "one")
	put(t, filepath.Join(s.Mirror, "two", "b.txt"), "another")
	if paths, err := s.Get(t.Context(), d); err != nil || !slices.Equal(paths, []string{s.Path(d, d.Files[0]), s.Path(d, d.Files[1])}) {
		t.Error(paths, err)
	}
}

// The published files are what the list says of them. They are not in the project:
// SLUICE_MIRROR says where.
func TestPublished(t *testing.T) {
	mirror := os.Getenv(MirrorVariable)
	if mirror == "" {
		t.Skip("SLUICE_MIRROR is not set")
	}
	for _, d := range All() {
		t.Run(d.Name, func(t *testing.T) {
			for _, f := range d.Files {
				if err := check(filepath.Join(mirror, d.Name, f.Name), f); errors.Is(err, os.ErrNotExist) {
					t.Skip(err)
				} else if err != nil {
					t.Errorf("%s: %v", f.Name, err)
				}
			}
		})
	}
}

// Without any place to have it from there is one line.
func TestNowhere(t *testing.T) {
	s, d := Store{Folder: t.TempDir()}, two("one")
	if _, err := s.Get(t.Context(), d); err == nil || !strings.Contains(err.Error(), "two/a.txt: is published nowhere in this form: want SLUICE_MIRROR") {
		t.Error(err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s.Mirror = server.URL
	if _, err := s.Get(t.Context(), d); err == nil || !strings.HasSuffix(err.Error(), "want a network, or SLUICE_MIRROR to name a folder or an address that has it") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Get(ctx, d); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A download that is interrupted leaves nothing.
func TestInterrupted(t *testing.T) {
	d := two(strings.Repeat("x", 1<<20))
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("xxxx"))
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	s := Store{Folder: t.TempDir(), Mirror: server.URL}
	if _, err := s.Get(ctx, d); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := files(t, s.Folder); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

func TestOpen(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv(MirrorVariable, "/elsewhere")
	s, err := Open()
	if err != nil || s.Mirror != "/elsewhere" || filepath.Base(s.Folder) != "sluice" {
		t.Errorf("%+v, %v", s, err)
	}
}
