package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sluice/data"
	"sluice/rnn"
	"sluice/safetensors"
)

func fileOf(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(file []byte) (*Model, error) { return Read(bytes.NewReader(file), int64(len(file))) }

var someHistory = History{
	Corpus: "lyrics", TextSHA256: "00ff", TrainSymbols: 10, HeldOutSymbols: 2, Epoch: 3, Updates: 44,
	TrainLoss: 1.25, HeldOutLoss: 1e300, Kept: "the last <epoch>", Config: json.RawMessage(`{"seed":18446744073709551615}`),
}

func TestSaveOpen(t *testing.T) {
	vocabs := []*data.Vocab{
		vocabOf(t, "aé\n漢\"\\😀\x00<&>", data.VocabOptions{}),
		vocabOf(t, "a b <unk> \u2028 c", data.VocabOptions{Kind: "word", Unknown: "unk"}),
		vocabOf(t, "", data.VocabOptions{Kind: "byte"}),
	}
	all := specs()
	tied := all[2] // of a width that an LSTM of as many units gives
	tied.Tied, tied.Embed, tied.EmbeddingDropout, tied.RNN.Locked = true, tied.RNN.Hidden, 0.25, true
	normed := tied
	normed.RNN.Zoneout, normed.RNN.WeightDrop, normed.RNN.LayerNorm = 0.3, 0.4, true
	for i, spec := range append(all, tied, normed) {
		m := newModel(t, spec, vocabs[i%3])
		m.History = someHistory
		path := filepath.Join(t.TempDir(), "m.safetensors")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Open(path)
		if err != nil {
			t.Fatalf("%s: %v", spec.testName(), err)
		}
		if !reflect.DeepEqual(got.Spec, m.Spec) || !same(got.Params, m.Params) || !reflect.DeepEqual(got.Vocab, m.Vocab) || !reflect.DeepEqual(got.History, m.History) {
			t.Errorf("%s: another model came back", spec.testName())
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, fileOf(t, m)) || !bytes.Equal(b, fileOf(t, got)) {
			t.Errorf("%s: equal models have other bytes", spec.testName())
		}
		ids := []int32{0, 1, 2}
		one, _ := NewRunner(m.Pack(), newTeam(t, 1)).Loss(Batch{T: 3, B: 1, IDs: ids, Targets: ids}, nil)
		two, _ := NewRunner(got.Pack(), newTeam(t, 1)).Loss(Batch{T: 3, B: 1, IDs: ids, Targets: ids}, nil)
		if one != two {
			t.Errorf("%s: loss %v before, %v after", spec.testName(), one, two)
		}
	}
}

// The file of a model has room for the largest tokenizer.
func TestSaveLargestTokenizer(t *testing.T) {
	vocab, err := data.TokenizerVocab([]byte(`{"truncation":"` + strings.Repeat(`\"`, 6<<20-64) + `","model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}`))
	if err != nil {
		t.Fatal(err)
	}
	fileOf(t, newModel(t, Spec{Task: LM, RNN: rnn.Config{Cell: "lstm", Biases: 2, Hidden: 2, Layers: 1}}, vocab))
}

// The names and shapes in a file are those of PyTorch's modules, under rnn.;
// the GRU that PyTorch lacks bears others.
func TestNames(t *testing.T) {
	vocab := vocabOf(t, "abcd", data.VocabOptions{})
	for _, c := range []struct {
		cell  rnn.Config
		embed int // of 2, tied
		want  string
	}{
		{rnn.Config{Cell: "rnn", Layers: 1, Biases: 2}, 2, "embed.weight[4 2] head.bias[4] rnn.bias_hh_l0[2] rnn.bias_ih_l0[2] rnn.weight_hh_l0[2 2] rnn.weight_ih_l0[2 2]"},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Layers: 1, Biases: 1}, 0, "head.bias[4] head.weight[4 2] rnn.bias_hh_l0[6] rnn.bias_ih_l0[6] rnn.weight_hh_l0[6 2] rnn.weight_ih_l0[6 4]"},
		{rnn.Config{Cell: "gru", Reset: rnn.ResetBefore, Layers: 1, Biases: 2}, 3, "embed.weight[4 3] head.bias[4] head.weight[4 2] rnn.reset_before.bias_hh_l0[6] rnn.reset_before.bias_ih_l0[6] rnn.reset_before.weight_hh_l0[6 2] rnn.reset_before.weight_ih_l0[6 3]"},
		{rnn.Config{Cell: "lstm", Layers: 2, Biases: 2}, 3, "embed.weight[4 3] head.bias[4] head.weight[4 2] rnn.bias_hh_l0[8] rnn.bias_hh_l1[8] rnn.bias_ih_l0[8] rnn.bias_ih_l1[8] rnn.weight_hh_l0[8 2] rnn.weight_hh_l1[8 2] rnn.weight_ih_l0[8 3] rnn.weight_ih_l1[8 2]"},
		{rnn.Config{Cell: "rnn", Layers: 1, Biases: 1, Hidden: 16}, 0, "head.head.bias[4] head.head.weight[4 16] head.tail.0.0.weight[4 16] head.tail.0.1.weight[1 4] head.tail.1.0.weight[1 16] head.tail.1.1.weight[1 1] rnn.bias_hh_l0[16] rnn.bias_ih_l0[16] rnn.weight_hh_l0[16 16] rnn.weight_ih_l0[16 4]"},
		{rnn.Config{Cell: "rnn", Layers: 1, Biases: 1}, 0, "head.bias[4] head.weight[4 2] rnn.bias_hh_l0[2] rnn.bias_ih_l0[2] rnn.weight_hh_l0[2 2] rnn.weight_ih_l0[2 4]"},
	} {
		spec := Spec{Task: LM, Embed: c.embed, Tied: c.embed == 2, RNN: c.cell}
		if c.cell.Hidden > 0 {
			spec.Cutoffs = []int{2, 3}
		} else {
			spec.RNN.Hidden = 2
		}
		b := fileOf(t, newModel(t, spec, vocab))
		f, err := safetensors.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, info := range f.Tensors {
			names = append(names, fmt.Sprint(info.Name, info.Shape))
			if values, err := f.Float32(info.Name); err != nil || strings.Contains(info.Name, "bias_hh") && (values[0] == 0) != (c.cell.Biases == 1) {
				t.Errorf("%s: %s starts with %v, error %v", c.cell.Cell, info.Name, values[0], err)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("%s: tensors\n\t%s\nwant\n\t%s", c.cell.Cell, got, c.want)
		}
		if keys := len(f.Metadata); keys != 7 || f.Metadata["sluice"] != FormatVersion || f.Metadata["task"] != LM {
			t.Errorf("%s: metadata %v", c.cell.Cell, f.Metadata)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(filepath.Join(dir, "none"))
	wantError(t, err, "model: stat "+dir+"/none: no such file or directory")
	if !errors.Is(err, fs.ErrNotExist) || errors.Is(err, ErrFormat) {
		t.Errorf("a missing file: %v", err)
	}
	_, err = Open(dir)
	wantError(t, err, "model: "+dir+" is a folder: want a model file")
	path := filepath.Join(dir, "text")
	if err := os.WriteFile(path, []byte("a text"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = Open(path)
	wantError(t, err, path+": model: safetensors: file of 6 bytes, want at least 8")
	if !errors.Is(err, ErrFormat) || !errors.Is(err, safetensors.ErrFormat) {
		t.Errorf("a file of text: %v", err)
	}
	m := newModel(t, gruSpec(2), vocabOf(t, "ab", data.VocabOptions{}))
	if err := m.Save(filepath.Join(dir, "no", "folder")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Save to a missing folder: %v", err)
	}
	m.History.Config = json.RawMessage("{")
	wantError(t, m.Save(path), "model: history: json: error calling MarshalJSON for type json.RawMessage: unexpected end of JSON input")
	if b, _ := os.ReadFile(path); string(b) != "a text" {
		t.Error("a failed Save changed the file")
	}
}

// failing reads up to its limit, then fails.
type failing struct {
	b     []byte
	limit int64
}

var errDisk = errors.New("the disk is gone")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.limit {
		return 0, errDisk
	}
	return copy(p, f.b[off:]), nil
}

// A failing disk is not blamed on the file.
func TestReadFails(t *testing.T) {
	b := fileOf(t, newModel(t, gruSpec(2), vocabOf(t, "ab", data.VocabOptions{})))
	for limit := range int64(len(b)) {
		if _, err := Read(failing{b, limit}, int64(len(b))); !errors.Is(err, errDisk) || errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), "model: safetensors: read ") {
			t.Fatalf("failing at byte %d: error %v", limit, err)
		}
	}
}
