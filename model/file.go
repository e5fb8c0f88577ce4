package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"sluice/data"
	"sluice/nn"
	"sluice/safetensors"
)

// The versions of the model files written and read here: of those of float32,
// and of those whose weights are quantized.
const (
	FormatVersion    = "1"
	QuantizedVersion = "q1"
)

// ErrFormat is wrapped by the error of a file that is no model of this
// version; the text says what is wrong with it.
var ErrFormat = errors.New("model: not a model file")

// The keys of a model file's metadata. Those of JSON are named for what they
// hold.
const (
	keyVersion   = "sluice"    // FormatVersion or QuantizedVersion
	keyPrecision = "precision" // Model.Precision, where it is less than float32
	keyTask      = "task"      // Spec.Task
	keyInput     = "input"     // of Spec, what stands before the stack
	keyRNN       = "rnn"       // Spec.RNN
	keyHead      = "head"      // of Spec, what stands after it
	keyHistory   = "history"   // History

	// Names, each where there is one.
	keyVocab      = "vocab"
	keyCharacters = "characters"
	keyLabels     = "labels"
	keyScheme     = "scheme"
	keySeries     = "series"
)

type inputJSON struct {
	Embed            int     `json:"embed"`
	Features         int     `json:"features,omitempty"`
	Dropout          float64 `json:"dropout"`
	EmbeddingDropout float64 `json:"embedding_dropout,omitempty"`
	Lower            bool    `json:"lower,omitempty"`
	Chars            Chars   `json:"chars,omitzero"`
}

type headJSON struct {
	Tied     bool       `json:"tied,omitempty"`
	Cutoffs  []int      `json:"cutoffs,omitempty"`
	Outputs  int        `json:"outputs,omitempty"`
	CRF      bool       `json:"crf,omitempty"`
	Pool     string     `json:"pool,omitempty"`
	Forecast ForecastOf `json:"forecast,omitzero"`
	Dropout  float64    `json:"dropout"`
}

// Write writes the model as one safetensors file. The stack's tensors bear
// PyTorch's names under rnn., with a bias_hh of zeros where there is one bias;
// a variant that PyTorch lacks bears others. Equal models give equal bytes.
func (m *Model) Write(w io.Writer) error {
	metadata, tensors, err := m.Contents()
	if err != nil {
		return err
	}
	return safetensors.Write(w, metadata, tensors)
}

// Save writes the model to a file of its own: the old one or the new one
// whole, whatever happens.
func (m *Model) Save(path string) error {
	metadata, tensors, err := m.Contents()
	if err != nil {
		return err
	}
	return safetensors.WriteFile(path, metadata, tensors)
}

// CheckpointPrefix begins the names of tensors of a checkpoint: a model file
// whose metadata have the key "checkpoint" may have them beside the model's.
const CheckpointPrefix = "checkpoint."

// Contents are the metadata and the tensors of the model's file. The tensors are
// views of the parameters, but for those of a model of less than float32.
func (m *Model) Contents() (map[string]string, []safetensors.Tensor, error) {
	metadata := map[string]string{keyVersion: m.FormatVersion(), keyTask: m.Task}
	if m.Precision != nn.Float32 {
		metadata[keyPrecision] = m.Precision.String()
	}
	values := map[string]any{
		keyInput:   inputJSON{m.Embed, m.Features, m.InputDropout, m.EmbeddingDropout, m.Lower, m.Chars},
		keyRNN:     m.RNN,
		keyHead:    headJSON{m.Tied, m.Cutoffs, m.Outputs, m.CRF, m.Pool, m.Forecast, m.OutputDropout},
		keyHistory: m.History,
	}
	if m.Vocab != nil {
		values[keyVocab] = m.Vocab
	}
	if m.Characters != nil {
		values[keyCharacters] = m.Characters
	}
	if len(m.Labels) > 0 {
		values[keyLabels] = m.Labels
	}
	if m.Scheme != "" {
		values[keyScheme] = m.Scheme
	}
	if m.Names.Series != nil {
		values[keySeries] = m.Names.Series
	}
	for key, value := range values {
		b, err := json.Marshal(value)
		if err != nil {
			return nil, nil, fmt.Errorf("model: %s: %w", key, err)
		}
		metadata[key] = string(b)
	}
	var tensors []safetensors.Tensor
	for i, t := range m.Tensors() {
		tensors = append(tensors, m.written(i, t.Data)...)
	}
	for _, t := range m.zeros() {
		tensors = append(tensors, safetensors.Tensor{Name: t.Name, Shape: t.Shape, Data: make([]float32, nn.Elements(t.Shape))})
	}
	return metadata, tensors, nil
}

// zeros are the tensors that the file bears as zeros.
func (m *Model) zeros() []nn.Tensor {
	zeros := named("rnn.", m.rnn.Zeros())
	if m.chars != nil {
		zeros = append(zeros, named("chars.rnn.", m.chars.Zeros())...)
	}
	return zeros
}

// Open reads a model from a file.
func Open(path string) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("model: %s is a folder: want a model file", path)
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return nil, fmt.Errorf("model: %s is not a regular file: want a model file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	defer f.Close()
	m, err := Read(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read reads a model from a file of the given size in bytes. Whatever the
// file claims, it allocates no more than 150 times that size and 256 KiB, most
// of it for a moment.
func Read(r io.ReaderAt, size int64) (*Model, error) {
	f, err := safetensors.Open(r, size)
	if err != nil {
		return nil, ofFile(err)
	}
	m, err := fromMetadata(f.Metadata, len(f.Tensors))
	if err != nil {
		return nil, err
	}
	if err := m.fits(f); err != nil {
		return nil, err
	}
	m.bind()
	for i, t := range m.Tensors() {
		if err := m.readInto(t.Data, f, i); err != nil {
			return nil, err
		}
	}
	for _, t := range m.zeros() {
		values, err := f.Float32(t.Name)
		if err != nil {
			return nil, ofFile(err)
		}
		if i := slices.IndexFunc(values, func(v float32) bool { return v != 0 }); i >= 0 {
			return nil, wrong("tensor %q has %v at %d: want zeros, since the model has one bias", t.Name, values[i], i)
		}
	}
	return m, nil
}

// formatError is an error of a file's content.
type formatError struct{ error }

func (formatError) Is(target error) bool { return target == ErrFormat }
func (e formatError) Unwrap() error      { return e.error }

// Error is one line of bounded length, whatever strings the file holds.
func (e formatError) Error() string {
	const most = 2000
	text := e.error.Error()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func wrong(format string, args ...any) error {
	return formatError{fmt.Errorf("model: "+format, args...)}
}

// ofFile is the error of reading a safetensors file: of its content, or of the
// reading as such.
func ofFile(err error) error {
	if err = fmt.Errorf("model: %w", err); errors.Is(err, safetensors.ErrFormat) {
		return formatError{err}
	}
	return err
}

// fromMetadata plans the model that the metadata of a file with so many tensors
// describes.
func fromMetadata(metadata map[string]string, tensors int) (*Model, error) {
	if _, ok := metadata[keyVersion]; !ok {
		return nil, wrong("no %q in the metadata: this safetensors file is not a model of sluice", keyVersion)
	}
	precision, err := precisionOf(metadata)
	if err != nil {
		return nil, err
	}
	if _, err := taskOf(metadata[keyTask]); err != nil {
		return nil, formatError{err}
	}
	for _, key := range []string{keyInput, keyRNN, keyHead, keyHistory} {
		if _, ok := metadata[key]; !ok {
			return nil, wrong("no %q in the metadata", key)
		}
	}
	spec, history := Spec{Task: metadata[keyTask]}, History{}
	var input inputJSON
	var head headJSON
	for _, field := range []struct {
		key  string
		into any
	}{{keyInput, &input}, {keyRNN, &spec.RNN}, {keyHead, &head}, {keyHistory, &history}} {
		if err := decode(metadata[field.key], field.into); err != nil {
			return nil, wrong("metadata %q: %w", field.key, err)
		}
	}
	spec.Embed, spec.Features, spec.InputDropout, spec.EmbeddingDropout = input.Embed, input.Features, input.Dropout, input.EmbeddingDropout
	spec.Lower, spec.Chars = input.Lower, input.Chars
	spec.Tied, spec.Cutoffs, spec.Outputs, spec.OutputDropout = head.Tied, head.Cutoffs, head.Outputs, head.Dropout
	spec.CRF, spec.Pool, spec.Forecast = head.CRF, head.Pool, head.Forecast
	names, err := namesIn(metadata, spec)
	if err != nil {
		return nil, err
	}
	claimed, features := spec.RNN.Input, spec.Features
	if spec.RNN.Layers > tensors { // a plan takes memory for each layer
		return nil, wrong("metadata %q: layers %d: want at most %d, the tensors of the file", keyRNN, spec.RNN.Layers, tensors)
	}
	m, err := plan(spec, names)
	if err != nil {
		return nil, formatError{err} // it names the field
	}
	if features != m.Features {
		return nil, wrong("metadata %q: features %d: want %d, as the forecast reads", keyInput, features, m.Features)
	}
	if err := m.only(LM, "quantize"); precision != nn.Float32 && err != nil {
		return nil, formatError{err}
	}
	if claimed != m.RNN.Input {
		return nil, wrong("metadata %q: input %d: want %d, the width of what stands before it", keyRNN, claimed, m.RNN.Input)
	}
	m.History, m.Precision = history, precision
	return m, nil
}

// namesIn are those of a file.
func namesIn(metadata map[string]string, spec Spec) (n Names, err error) {
	text, ok := metadata[keyVocab]
	switch numbers := spec.Features > 0; {
	case ok && numbers:
		return n, wrong("metadata %q beside inputs of %d numbers: want one of them", keyVocab, spec.Features)
	case !ok && !numbers:
		return n, wrong("no %q in the metadata", keyVocab)
	case ok:
		if n.Vocab, err = data.ParseVocab([]byte(text)); err != nil {
			return n, wrong("metadata %q: %w", keyVocab, err)
		}
	}
	if text, ok := metadata[keyCharacters]; ok {
		if n.Characters, err = data.ParseVocab([]byte(text)); err != nil {
			return n, wrong("metadata %q: %w", keyCharacters, err)
		}
	}
	for _, field := range []struct {
		key  string
		into any
	}{{keyLabels, &n.Labels}, {keyScheme, &n.Scheme}, {keySeries, &n.Series}} {
		if text, ok := metadata[field.key]; ok {
			if err := decode(text, field.into); err != nil {
				return n, wrong("metadata %q: %w", field.key, err)
			}
		}
	}
	return n, nil
}

// decode reads one JSON value without unknown fields and with nothing after.
func decode(text string, into any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the JSON value")
	}
	return nil
}

// fits says which tensors are missing and which have no use, then which is of
// another dtype or shape than the metadata claims. It comes before any memory
// is taken for them: a file that fits is as large as its parameters.
func (m *Model) fits(f *safetensors.File) error {
	want := map[string]stored{}
	for i := range m.rows {
		for _, s := range m.stored(i) {
			want[s.name] = s
		}
	}
	for _, t := range m.zeros() {
		want[t.Name] = stored{t.Name, safetensors.F32, t.Shape}
	}
	var missing, unused []string
	for name := range want {
		if _, ok := f.Lookup(name); !ok {
			missing = append(missing, name)
		}
	}
	_, checkpoint := f.Metadata["checkpoint"]
	for _, t := range f.Tensors {
		if _, ok := want[t.Name]; !ok && !(checkpoint && strings.HasPrefix(t.Name, CheckpointPrefix)) {
			unused = append(unused, t.Name)
		}
	}
	slices.Sort(missing)
	slices.Sort(unused)
	var parts []string
	if len(missing) > 0 {
		parts = append(parts, fmt.Sprintf("missing: %.80q", missing))
	}
	if len(unused) > 0 {
		parts = append(parts, fmt.Sprintf("without use: %.80q", unused))
	}
	if len(parts) > 0 {
		return wrong("tensors %s", strings.Join(parts, "; "))
	}
	for _, t := range f.Tensors {
		switch want, ok := want[t.Name]; {
		case !ok: // of a checkpoint
		case t.DType != want.dtype:
			return wrong("tensor %q has dtype %s, want %s", t.Name, t.DType, want.dtype)
		case !slices.Equal(t.Shape, want.shape):
			return wrong("tensor %q has shape %v, want %v", t.Name, t.Shape, want.shape)
		}
	}
	return nil
}
