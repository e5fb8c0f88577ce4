package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"sluice/data"
	"sluice/nn"
	"sluice/rnn"
)

// checkRead reads what may be no model: no panic, and an error of one line;
// what is read can be written and run.
func checkRead(t *testing.T, file []byte) {
	t.Helper()
	m, err := read(file)
	if err != nil {
		if !errors.Is(err, ErrFormat) || m != nil || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 2100 {
			t.Errorf("error %q", err)
		}
		return
	}
	again := fileOf(t, m)
	if m2, err := read(again); err != nil || !bytes.Equal(again, fileOf(t, m2)) {
		t.Errorf("what was read and written comes back as another: %v", err)
	}
	if m.Task == Regress {
		NewRunner(m.Pack(), newTeam(t, 1)).Outputs(make([]float32, m.Outputs), Batch{T: 2, B: 1, Data: make([]float32, 2*m.Features)}, nil)
		return
	}
	if m.Task != LM {
		useTask(t, m)
		return
	}
	g, err := NewGenerator(m.Pack(), Sampling{Temperature: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Start(""); err != nil {
		t.Error(err)
	}
	for range 3 {
		g.Next()
	}
}

func smallFiles(t testing.TB) [][]byte {
	var files [][]byte
	for i, c := range []rnn.Config{{Cell: "gru", Reset: rnn.ResetAfter, Biases: 1, Layers: 1}, {Cell: "lstm", Biases: 2, Layers: 2}, {Cell: "rnn", Biases: 2, Layers: 1}} {
		c.Hidden = 1
		vocab := vocabOf(t, "ab", data.VocabOptions{Kind: "word", Unknown: "unk"})
		m := newModel(t, Spec{Task: LM, Embed: i, RNN: c}, vocab)
		if i == 0 {
			m.History = someHistory
		}
		files = append(files, fileOf(t, m))
		q, err := m.Quantize([]nn.Precision{nn.Int8, nn.BF16, nn.Int8}[i])
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fileOf(t, q))
	}
	tied := Spec{Task: LM, Embed: 1, Tied: true, EmbeddingDropout: 0.5, RNN: rnn.Config{Cell: "rnn", Biases: 1, Layers: 1, Hidden: 1}}
	numbers := Spec{Task: Regress, Features: 2, Outputs: 1, RNN: tied.RNN}
	words := Spec{Task: LM, Embed: 1, Cutoffs: []int{1}, RNN: rnn.Config{Cell: "rnn", Biases: 1, Layers: 1, Hidden: 4}}
	adaptive := newModel(t, words, vocabOf(t, "ab", data.VocabOptions{}))
	files = append(files, smallTasks(t)...)
	for _, c := range variants() {
		c.Hidden, c.Layers, c.Dropout, c.Projection = 2, 1, 0, min(1, c.Projection)
		files = append(files, fileOf(t, newModel(t, Spec{Task: LM, RNN: c}, vocabOf(t, "ab", data.VocabOptions{}))))
	}
	return append(files, fileOf(t, adaptive), fileOf(t, newModel(t, tied, vocabOf(t, "ab", data.VocabOptions{}))), fileOf(t, newModel(t, numbers, nil)))
}

func TestTruncated(t *testing.T) {
	for _, file := range smallFiles(t) {
		for n := range len(file) {
			if _, err := read(file[:n]); !errors.Is(err, ErrFormat) {
				t.Fatalf("cut after %d of %d bytes: %v", n, len(file), err)
			}
		}
		if _, err := read(append(file, 0)); !errors.Is(err, ErrFormat) {
			t.Errorf("with a byte more: %v", err)
		}
	}
}

// Every bit of the header of a file, and of the length before it, is flipped.
func TestBitFlips(t *testing.T) {
	for _, file := range smallFiles(t) {
		for i := range 8 + binary.LittleEndian.Uint64(file) {
			for bit := range 8 {
				file[i] ^= 1 << bit
				checkRead(t, file)
				file[i] ^= 1 << bit
			}
		}
	}
}

// No file makes Read panic or take more memory than it says.
func FuzzRead(f *testing.F) {
	for _, file := range smallFiles(f) {
		f.Add(file, false)
		f.Add(file[:len(file)-3], true)
	}
	for _, of := range malformedFiles {
		for _, c := range of.changes {
			p := partsOf(f, of.model(f))
			c.change(&p)
			f.Add(p.file(f), true)
		}
	}
	// With mend the header's length is put right, so that more files get past it.
	f.Fuzz(func(t *testing.T, file []byte, mend bool) {
		if end := bytes.LastIndexByte(file, '}'); mend && end >= 8 {
			file = bytes.Clone(file)
			binary.LittleEndian.PutUint64(file, uint64(end-7))
		}
		if got := allocated(func() { read(file) }); got > most(file) {
			t.Errorf("%d bytes allocated for a file of %d", got, len(file))
		}
		checkRead(t, file)
	})
}
