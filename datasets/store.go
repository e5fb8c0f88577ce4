package datasets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/internal/disk"
)

// MirrorVariable is the environment's name for a Store's Mirror.
const MirrorVariable = "SLUICE_MIRROR"

// Store is a folder that keeps files once they have been fetched.
type Store struct {
	Folder   string                              // has NAME/FILE of each
	Mirror   string                              // a folder or an address that has NAME/FILE of each; "": where they are published
	Progress func(d Dataset, f File, done int64) // called after each piece of a file that comes, if not nil; done counts bytes
}

// Open is the user's Store: sluice in the folder of the user's caches, with the
// mirror that SLUICE_MIRROR names.
func Open() (Store, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return Store{}, fmt.Errorf("datasets: no folder for the user's caches: %w", err)
	}
	return Store{Folder: filepath.Join(cache, "sluice"), Mirror: os.Getenv(MirrorVariable)}, nil
}

// Path is where the Store keeps a file of a dataset.
func (s Store) Path(d Dataset, f File) string { return filepath.Join(s.Folder, d.Name, f.Name) }

// Has says whether all files of a dataset are there, by name and size.
func (s Store) Has(d Dataset) bool {
	for _, f := range d.Files {
		if info, err := os.Stat(s.Path(d, f)); err != nil || info.Size() != f.Bytes {
			return false
		}
	}
	return true
}

// Get is the paths of a dataset's files, in their order. What is not there, or
// not as it was published, is fetched, each file whole or not at all.
func (s Store) Get(ctx context.Context, d Dataset) (paths []string, err error) {
	for _, f := range d.Files {
		path := s.Path(d, f)
		if bad := check(path, f); bad != nil {
			err := s.fetch(ctx, d, f, path)
			if err != nil && check(path, f) != nil { // else another process has fetched it
				if !errors.Is(bad, fs.ErrNotExist) {
					err = fmt.Errorf("%w; here is %s: %w", err, path, bad)
				}
				return nil, fmt.Errorf("datasets: %s/%s: %w", d.Name, f.Name, err)
			}
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// check is the error of a file that is not there or not as it was published.
func check(path string, f File) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	return f.copy(io.Discard, in)
}

// copy copies a file, and says how it differs from the one that was published.
func (f File) copy(w io.Writer, r io.Reader) error {
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, sum), io.LimitReader(r, f.Bytes+1))
	switch got := hex.EncodeToString(sum.Sum(nil)); {
	case err != nil:
		return err
	case n > f.Bytes:
		return fmt.Errorf("more than the %d bytes that were published", f.Bytes)
	case n < f.Bytes:
		return fmt.Errorf("%d bytes, and %d were published", n, f.Bytes)
	case got != f.SHA256:
		return fmt.Errorf("sha256 %s, and %s was published", got, f.SHA256)
	}
	return nil
}

func (s Store) fetch(ctx context.Context, d Dataset, f File, path string) error {
	in, from, err := s.open(ctx, d, f)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	var bad error
	err = disk.WriteAtomic(disk.OS, path, func(w io.Writer) error {
		bad = f.copy(w, &counted{r: in, ctx: ctx, tell: func(done int64) {
			if s.Progress != nil {
				s.Progress(d, f, done)
			}
		}})
		return bad
	})
	if bad != nil {
		return fmt.Errorf("%s: %w: nothing is kept in %s", from, bad, path)
	}
	return err
}

// client waits for a connection and an answer, and for bytes as long as they come.
var client = func() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 30 * time.Second
	return &http.Client{Transport: t}
}()

// open opens a file where it is to be had.
func (s Store) open(ctx context.Context, d Dataset, f File) (in io.ReadCloser, from string, err error) {
	const mirror = MirrorVariable + " to name a folder or an address that has it"
	switch {
	case strings.HasPrefix(s.Mirror, "http://"), strings.HasPrefix(s.Mirror, "https://"):
		from = strings.TrimSuffix(s.Mirror, "/") + "/" + d.Name + "/" + f.Name
	case s.Mirror != "":
		file, err := os.Open(filepath.Join(s.Mirror, d.Name, f.Name))
		return file, s.Mirror, err
	case f.URL == "":
		return nil, "", errors.New("is published nowhere in this form: want " + mirror)
	default:
		from = f.URL
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, "", err
	}
	from = request.URL.Redacted() // of a password
	answer, err := client.Do(request)
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: want a network, or %s", err, mirror)
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		return nil, "", fmt.Errorf("%s: %s: want %s", from, answer.Status, mirror)
	}
	return answer.Body, from, nil
}

// counted ends with its context, and tells how much has been read.
type counted struct {
	r    io.Reader
	ctx  context.Context
	done int64
	tell func(done int64)
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.done += int64(n)
	c.tell(c.done)
	return n, err
}
