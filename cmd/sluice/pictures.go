package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/disk"
	"sluice/look/picture"
)

// pictureFlags are of every command that draws.
type pictureFlags struct {
	Out   []string `short:"o" sep:"none" placeholder:"FILE" help:"The picture: a .png, a .svg or the numbers as .npz; may be given again."`
	Force bool     `help:"Write over files that exist."`
}

// outputs are the files to write: those of --out, or else one of a name, or
// none if that is "". It is an error if one is there already.
func (c pictureFlags) outputs(name string) ([]string, error) {
	paths := c.Out
	if len(paths) == 0 && name != "" {
		paths = []string{name + ".png"}
	}
	for i, path := range paths {
		switch {
		case !slices.Contains(picture.Endings, ending(path)):
			return nil, usage("--out %s: want a name that ends in .png, .svg or .npz", path)
		case slices.Contains(paths[:i], path):
			return nil, usage("--out %s: given twice", path)
		}
		if err := c.free(path); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func ending(path string) string { return strings.ToLower(filepath.Ext(path)) }

// free is the error of a file that must not be written.
func (c pictureFlags) free(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: a folder, want the name of a file", path)
	case err == nil && !c.Force:
		return fmt.Errorf("%s: it exists already: want --force or another --out", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return fmt.Errorf("%s: %w", path, cause(err))
	}
	return nil
}

// drawable is the error of a figure of which a picture was asked and cannot
// be.
func drawable(f picture.Picture, paths []string) error {
	if slices.ContainsFunc(paths, func(p string) bool { return ending(p) != ".npz" }) {
		return f.Drawable()
	}
	return nil
}

// write writes f to the files, each whole or not at all.
func (c pictureFlags) write(e *env, f picture.Picture, paths []string) error {
	if err := drawable(f, paths); err != nil {
		return err
	}
	for _, path := range paths {
		if err := e.ctx.Err(); err != nil {
			return err
		}
		if err := c.free(path); err != nil { // it took a while
			return err
		}
		if err := drawTo(path, f); err != nil {
			return err
		}
	}
	return nil
}

// drawTo writes f to a file as its ending says, whole or not at all.
func drawTo(path string, f picture.Picture) error {
	return disk.WriteAtomic(disk.OS, path, func(w io.Writer) error { return picture.Write(w, ending(path), f) })
}
