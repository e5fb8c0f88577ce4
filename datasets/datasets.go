// Package datasets finds published data by name. It knows where each file lies,
// how large it is and what its sum is; a [Store] fetches it once, keeps it in a
// folder of the user's, and gives no file that is not as it was published.
//
// Nothing of the data is in this module: each licence is its publisher's.
package datasets

import (
	"fmt"
	"slices"
	"strings"
)

// Dataset is the files that others have published under one name.
type Dataset struct {
	Name    string
	About   string // what it is, in a line
	Licence string
	Files   []File
}

// File is one of them.
type File struct {
	Name   string // without a folder
	URL    string // where it is published, at a fixed commit; "" if it is nowhere as it is
	Bytes  int64
	SHA256 string // in hex
	Part   string // "train", "dev" or "test", "" where the dataset is not divided
}

// Bytes is the size of all files.
func (d Dataset) Bytes() (n int64) {
	for _, f := range d.Files {
		n += f.Bytes
	}
	return n
}

// All lists the datasets by name.
func All() []Dataset {
	list := slices.Clone(all)
	for i := range list {
		list[i].Files = slices.Clone(list[i].Files)
	}
	return list
}

// Find is the dataset of a name, or its files whose name follows, as in
// "ewt/en_ewt-ud-dev.conllu". The error for another name says which there are.
func Find(name string) (Dataset, error) {
	set, file, one := strings.Cut(name, "/")
	var names []string
	for _, d := range All() {
		names = append(names, d.Name)
		if d.Name != set {
			continue
		}
		if !one {
			return d, nil
		}
		var files []string
		for _, f := range d.Files {
			if files = append(files, f.Name); f.Name == file {
				d.Files = []File{f}
				return d, nil
			}
		}
		return Dataset{}, fmt.Errorf("datasets: no file %q in %s: there are %s", file, set, strings.Join(files, ", "))
	}
	return Dataset{}, fmt.Errorf("datasets: no dataset %q: there are %s", name, strings.Join(names, ", "))
}
