package torchfile

import "testing"

// No file makes Read or Float32 panic or allocate more than they promise. With
// wrap the bytes are a pickle, in an archive with a storage or in a legacy file.
func FuzzRead(f *testing.F) {
	for name := range goldens(f) {
		f.Add(load(f, name), byte(0))
	}
	for _, file := range malformedZips(f) {
		if len(file) < 4096 {
			f.Add(file, byte(0))
		}
	}
	for _, m := range malformedPickles {
		if len(m.pickle) < 4096 {
			f.Add([]byte(m.pickle), byte(1))
		}
	}
	for _, pickle := range []string{proto + dict(str("w"), vector) + ".", proto + orderedText + ")R(" + str("a") + view(1, []int{2, 1}, []int{2, 1}) + "u}b."} {
		f.Add([]byte(pickle), byte(1))
		f.Add([]byte(pickle), byte(2))
		f.Add([]byte(pickle+legacyKeys+legacyRest), byte(3))
	}
	f.Fuzz(func(t *testing.T, file []byte, wrap byte) {
		switch wrap % 4 {
		case 1:
			file = pickled(t, string(file))
		case 2:
			file = legacyOf(string(file), legacyKeys, legacyRest)
		case 3:
			file = append([]byte(legacyStart), file...)
		}
		limit := most(file)
		got := allocated(func() {
			opened, err := read(file)
			if err != nil {
				return
			}
			for _, x := range opened.Tensors {
				limit += 128<<10 + 5*uint64(x.storage.bytes)
				x.Float32()
			}
		})
		if got > limit {
			t.Errorf("%d bytes allocated for a file of %d, want at most %d", got, len(file), limit)
		}
		checkRead(t, file)
	})
}
