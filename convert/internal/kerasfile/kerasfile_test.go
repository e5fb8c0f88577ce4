package kerasfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sluice/convert/internal/hdf5"
)

// golden is a file of convert/testdata/keras, which golden_keras.py and
// golden_keras2.py there make.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../testdata/keras", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(b []byte) (*File, error) { return Open(bytes.NewReader(b), int64(len(b))) }

// outline is the layers of a file in a line: class and name, arrays, layers inside.
func outline(layers []Layer) string {
	var b strings.Builder
	for i, l := range layers {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(l.Class + ":" + l.Name)
		for _, a := range l.Arrays {
			n := 1
			for _, d := range a.Shape {
				n *= d
			}
			if n != len(a.Data) {
				b.WriteString("!")
			}
			b.WriteString("/" + a.Name)
		}
		if len(l.Inside) > 0 {
			b.WriteString("(" + outline(l.Inside) + ")")
		}
	}
	return b.String()
}

const weights3 = "/kernel/recurrent_kernel/bias"

func TestKinds(t *testing.T) {
	for file, want := range map[string]struct{ kind, version, layers string }{
		"as_written.keras":         {Keras, "3.15.1", "InputLayer:input_layer_14 Masking:masking_2 GRU:gru" + weights3},
		"relu_h5.h5":               {H5, "3.15.1", "InputLayer: Dense: Bidirectional:(LSTM: LSTM:) Dense:"},
		"functional.keras":         {Keras, "3.15.1", "InputLayer: Embedding: SpatialDropout1D: Bidirectional:(LSTM: LSTM:) Dropout: GRU: TimeDistributed:(Dense:) Activation:"},
		"functional_h5.h5":         {H5, "3.15.1", "InputLayer: Embedding: SpatialDropout1D: Bidirectional:(LSTM: LSTM:) Dropout: GRU: TimeDistributed:(Dense:) Activation:"},
		"masked_numbers.keras":     {Keras, "3.15.1", "InputLayer: Masking: GRU: GlobalAveragePooling1D: Dense:"},
		"weights_mixed.weights.h5": {Weights, "", "Bidirectional:(GRU: GRU:) Embedding: LSTM: TimeDistributed:(:)"},
		"k2_functional.h5":         {H5, "2.15.0", "InputLayer: Embedding: Dropout: Bidirectional:(GRU: GRU:) TimeDistributed:(Dense:)"},
		"k2_keras.keras":           {Keras, "2.15.0", "InputLayer: Bidirectional:(GRU: GRU:) Dense:"},
		"k2_weights.h5":            {Weights2, "2.15.0", ": : Bidirectional:(: :) : :"},
	} {
		f, err := open(golden(t, file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		got := outline(f.Layers)
		if !strings.Contains(want.layers, "/") { // without names
			got = outline(bare(f.Layers))
		}
		if f.Kind != want.kind || f.Version != want.version || got != want.layers {
			t.Errorf("%s: %q %q\n%s\nwant %q %q\n%s", file, f.Kind, f.Version, got, want.kind, want.version, want.layers)
		}
	}
}

// bare are layers without their names and arrays.
func bare(layers []Layer) []Layer {
	out := make([]Layer, len(layers))
	for i, l := range layers {
		out[i] = Layer{Class: l.Class, Inside: bare(l.Inside)}
	}
	return out
}

// One model in three files has the same weights in all of them, by the same names.
func TestSameWeights(t *testing.T) {
	f, err := open(golden(t, "k2_functional.h5"))
	if err != nil {
		t.Fatal(err)
	}
	want := "InputLayer:input_3 Embedding:embedding_1/embeddings Dropout:dropout Bidirectional:both_ways(GRU:gru_3" + weights3 + " GRU:gru_3" + weights3 + ") TimeDistributed:time_distributed(Dense:dense_3/kernel/bias)"
	if got := outline(f.Layers); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if back := f.Layers[3].Inside[1].Config["go_backwards"]; back != true {
		t.Errorf("go_backwards of the layer backward is %v, want true", back)
	}
	if ahead := f.Layers[3].Inside[0].Config["go_backwards"]; ahead != false {
		t.Errorf("go_backwards of the layer forward is %v, want false", ahead)
	}
	twelve, err := open(golden(t, "weights_twelve.weights.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range twelve.Layers { // _2 before _10
		if n := l.Arrays[1].Shape[0]; l.Class != "SimpleRNN" || n != 4+i {
			t.Errorf("layer %d is %s %s of width %d, want %d", i, l.Class, l.Name, n, 4+i)
		}
	}
}

// pack makes a .keras.
func pack(method uint16, members ...string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		w, _ := z.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		io.WriteString(w, members[i+1])
	}
	z.Close()
	return b.Bytes()
}

// parts takes a .keras apart.
func parts(t testing.TB, file []byte) (config, weights string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		r, err := z.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return read("config.json"), read(weightsName)
}

const version = `{"keras_version": "3.15.1"}`

func keras(config, weights string) []byte {
	return pack(zip.Store, "config.json", config, "metadata.json", version, weightsName, weights)
}

// wrong checks an error of a file.
func wrong(t testing.TB, name string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: error %v, want one with %q", name, err, want)
		return
	}
	checkError(t, err)
}

// checkError wants one line of bounded length that is of this package or of hdf5.
func checkError(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, ErrFormat) && !errors.Is(err, hdf5.ErrFormat) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 3000 {
		t.Errorf("error %q", err)
	}
}

// layerJSON is a layer of a Functional model that reads others.
func layerJSON(class, name, more string, inputs ...string) string {
	var nodes []string
	for _, in := range inputs {
		nodes = append(nodes, `{"class_name":"__keras_tensor__","config":{"keras_history":["`+in+`",0,0]}}`)
	}
	calls := "[]"
	if len(inputs) > 0 {
		calls = `[{"args":[` + strings.Join(nodes, ",") + `],"kwargs":{` + more + `}}]`
	}
	return `{"class_name":"` + class + `","name":"` + name + `","config":{"name":"` + name + `"},"inbound_nodes":` + calls + `}`
}

func functional(output string, layers ...string) string {
	return `{"class_name":"Functional","config":{"layers":[` + strings.Join(layers, ",") + `],"output_layers":` + output + `}}`
}

func TestConfigs(t *testing.T) {
	in := layerJSON("InputLayer", "in", "")
	mask := `"mask":{"class_name":"__keras_tensor__","config":{"keras_history":["ne",0,0]}}`
	notEqual := strings.Replace(layerJSON("NotEqual", "ne", "", "in"), "}],\"kwargs\"", "},0],\"kwargs\"", 1)
	embedding := strings.Replace(layerJSON("Embedding", "a", "", "in"), `"name":"a"}`, `"name":"a","mask_zero":true}`, 1)
	masked := functional(`["b",0,0]`, in, embedding, notEqual, layerJSON("B", "b", mask+`,"training":true,"initial_state":null`, "a"))
	if layers, err := modelOf([]byte(masked)); err != nil || outline(layers) != "InputLayer:in Embedding:a B:b" {
		t.Errorf("%s, %v", outline(layers), err)
	}
	old := func(kwargs string) string {
		return functional(`["a",0,0]`, in, `{"class_name":"A","name":"a","config":{},"inbound_nodes":[[["in",0,0,`+kwargs+`]]]}`)
	}
	if layers, err := modelOf([]byte(old(`{"training":false,"mask":null}`))); err != nil || outline(layers) != "InputLayer:in A:a" {
		t.Errorf("%s, %v", outline(layers), err)
	}
	kept := functional(`[["b",0,0]]`, layerJSON("B", "b", "", "a"), layerJSON("A", "a", "", "in"), in)
	if layers, err := modelOf([]byte(kept)); err != nil || outline(layers) != "InputLayer:in A:a B:b" {
		t.Errorf("%s, %v", outline(layers), err)
	}
	for name, c := range map[string]struct{ config, want string }{
		"no JSON":       {`{`, "config: "},
		"a number":      {`3`, "config: "},
		"subclassed":    {`{"class_name":"Mine","config":{}}`, `class "Mine" without layers`},
		"other class":   {`{"class_name":"Mine","config":{"layers":[]}}`, `model of class "Mine", want Sequential or Functional`},
		"no class":      {`{"class_name":"Sequential","config":{"layers":[{}]}}`, "no class_name or no config, in layer 0"},
		"half":          {`{"class_name":"Sequential","config":{"layers":[{"class_name":"Bidirectional","config":{"name":"b","layer":{}}}]}}`, `Bidirectional "b" without the class_name or config of its layer`},
		"a fork":        {functional(`["b",0,0]`, in, layerJSON("A", "a", "", "in"), layerJSON("B", "b", "", "in")), `layer "in" is read by "a" and "b"`},
		"a join":        {functional(`["b",0,0]`, in, layerJSON("A", "a", "", "in"), layerJSON("B", "b", "", "a", "in")), `layer "b" reads "a", "in"`},
		"two inputs":    {functional(`["a",0,0]`, in, layerJSON("InputLayer", "other", ""), layerJSON("A", "a", "", "in")), `layers "in" and "other" are both inputs`},
		"no input":      {functional(`["a",0,0]`, layerJSON("A", "a", "", "b"), layerJSON("B", "b", "", "a")), "without an input"},
		"two outputs":   {functional(`[["a",0,0],["in",0,0]]`, in, layerJSON("A", "a", "", "in")), "a model with 2 outputs"},
		"other output":  {functional(`["in",0,0]`, in, layerJSON("A", "a", "", "in")), `output is "in" and the last of its chain of layers "a"`},
		"an island":     {functional(`["a",0,0]`, in, layerJSON("A", "a", "", "in"), layerJSON("B", "b", "", "c"), layerJSON("C", "c", "", "b")), `2 of 4 layers are in no chain from "in"`},
		"two of a name": {functional(`["a",0,0]`, in, layerJSON("A", "a", "", "in"), layerJSON("B", "in", "", "a")), `two layers are named "in"`},
		"states":        {functional(`["b",0,0]`, in, layerJSON("A", "a", "", "in"), layerJSON("B", "b", `"initial_state":[{"config":{"keras_history":["in",0,0]}}]`, "a")), "want a chain"},
		"second use":    {functional(`["a",0,0]`, in, strings.Replace(layerJSON("A", "a", "", "in"), `"in",0,0`, `"in",0,1`, 1)), "is output 1 of its use 0"},
		"shared":        {functional(`["a",0,0]`, in, strings.Replace(layerJSON("A", "a", "", "in"), `"inbound_nodes":[`, `"inbound_nodes":[{},`, 1)), `"a" is used 2 times`},
		"no name":       {functional(`["a",0,0]`, in, layerJSON("A", "", "", "in")), `class "A" without a name`},
		"other mask":    {strings.Replace(masked, "},0],", "},7],", 1), `layer "b" is called with mask "ne"`},
		"own mask":      {strings.Replace(masked, `"mask_zero":true`, `"mask_zero":false`, 1), `layer "b" is called with mask "ne"`},
		"no mask":       {strings.Replace(masked, `["ne",0,0]`, `["a",0,0]`, 1), `layer "b" is called with mask "a"`},
		"read mask":     {strings.Replace(masked, `"output_layers":["b"`, `"output_layers":["ne"`, 1), `output is "ne" and the last of its chain of layers "b"`},
		"constant":      {functional(`["a",0,0]`, in, layerJSON("A", "a", `"initial_state":{"class_name":"__tensor__","config":{"value":[[1]]}}`, "in")), `a value that is no layer's output, as argument "initial_state" of layer "a"`},
		"constants":     {functional(`["a",0,0]`, in, layerJSON("A", "a", `"initial_state":[null,[[1.0]]]`, "in")), `as argument "initial_state" of layer "a"`},
		"second":        {functional(`["a",0,0]`, in, strings.Replace(layerJSON("A", "a", "", "in"), `}],"kwargs"`, `},{"class_name":"__tensor__"}],"kwargs"`, 1)), `as argument 2 of layer "a"`},
		"constant mask": {functional(`["a",0,0]`, in, layerJSON("A", "a", `"mask":[[true]]`, "in")), `as argument "mask" of layer "a"`},
		"old states":    {old(`{"initial_state":[[1.0]]}`), `layer "in" is read with the argument "initial_state", want it alone, in the call of layer "a"`},
		"deep":          {strings.Repeat(`{"config":`, 20000), "config: "},
	} {
		_, err := modelOf([]byte(c.config))
		wrong(t, name, err, c.want)
	}
}

func TestArchives(t *testing.T) {
	config, weights := parts(t, golden(t, "as_written.keras"))
	if _, err := open(keras(config, weights)); err != nil {
		t.Fatal(err)
	}
	stored := keras(config, weights)
	flipped := slices.Clone(stored)
	flipped[bytes.Index(flipped, []byte(weights))+len(weights)/2] ^= 1
	zeros := strings.Repeat("\x00", 8<<20)
	claims := pack(zip.Deflate, "config.json", config, "metadata.json", version, weightsName, weights)
	at := bytes.LastIndex(claims, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(claims[at+24:], 0xfffffff0) // the uncompressed size in the directory
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"no file":        {nil, "neither those of a .h5 nor of a .keras"},
		"cut":            {stored[:len(stored)-30], "zip: "},
		"no config":      {pack(zip.Store, "metadata.json", version, weightsName, weights), "no config.json"},
		"no metadata":    {pack(zip.Store, "config.json", config, weightsName, weights), "no metadata.json"},
		"no weights":     {pack(zip.Store, "config.json", config, "metadata.json", version), "no model.weights.h5"},
		"sharded":        {pack(zip.Store, "config.json", config, "metadata.json", version, "model.weights.json", "{}"), `"model.weights.json", which are not read`},
		"twice":          {pack(zip.Store, "config.json", config, "config.json", config), `"config.json" is twice`},
		"checksum":       {flipped, "checksum"},
		"bomb":           {pack(zip.Deflate, "config.json", config, "metadata.json", version, weightsName, zeros), "want at most 32 times"},
		"claim":          {claims, "want at most 32 times"},
		"large config":   {pack(zip.Deflate, "config.json", zeros[:5<<20]), "want at most 4194304"},
		"other weights":  {keras(strings.Replace(config, `"masking_2"`, `"x"`, 1), weights), `the weights of layer "masking_2", want "x"`},
		"unused weights": {keras(strings.Replace(config, `"class_name": "GRU"`, `"class_name": "Other"`, 1), weights), `weights of no layer that the config has: "/layers/gru"`},
		"no HDF5":        {keras(config, "hello"), "first bytes are not HDF5's"},
	} {
		var err error
		got := allocated(func() { _, err = open(c.file) })
		wrong(t, name, err, c.want)
		if got > 24<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// checkAllocated is the promise of Open: of what is in a .keras, uncompressed, with
// its config apart.
func checkAllocated(t testing.TB, size, config int, got uint64) {
	t.Helper()
	if want := uint64(32*size + 96*config + 8<<20); got > want {
		t.Errorf("%d bytes and a config of %d allocated %d, want at most %d", size, config, got, want)
	}
}

// The densest configs that one can write.
func TestConfigAllocation(t *testing.T) {
	for _, unit := range []string{"[],", "{},", "1,", `"",`, `{"a":1},`, `[[]],`, `{"a":{}},`, `[1],`} {
		text := `{"config":{"layers":[` + strings.Repeat(unit, 1<<17/len(unit)) + `0]}}`
		var err error
		got := allocated(func() { _, err = modelOf([]byte(text)) })
		if err == nil || got > uint64(96*len(text)) {
			t.Errorf("%q, 128 KiB of it: %d bytes allocated, %d times it; %v", unit, got, got/uint64(len(text)), err)
		}
		text = `{"class_name":"Functional","config":{"layers":[{"name":"a","inbound_nodes":[[` + strings.Repeat(unit, 1<<17/len(unit)) + `0]]}]}}`
		got = allocated(func() { _, err = modelOf([]byte(text)) })
		if err == nil || got > uint64(96*len(text)) {
			t.Errorf("%q, 128 KiB of it as inputs: %d bytes allocated, %d times it; %v", unit, got, got/uint64(len(text)), err)
		}
	}
}

// readable checks what Open gives for a file whose bytes, uncompressed, are size and
// config.
func readable(t *testing.T, file []byte, size, config int) {
	var f *File
	var err error
	got := allocated(func() { f, err = open(file) })
	checkAllocated(t, size, config, got)
	if err != nil {
		checkError(t, err)
		return
	}
	check(t, f.Layers)
}

func check(t *testing.T, layers []Layer) {
	for _, l := range layers {
		for _, a := range l.Arrays {
			n := 1
			for _, d := range a.Shape {
				n *= d
			}
			if n != len(a.Data) || a.Name == "" {
				t.Errorf("array %q of shape %v has %d elements", a.Name, a.Shape, len(a.Data))
			}
		}
		check(t, l.Inside)
	}
}

// small are the smallest of the golden files of HDF5.
var small = []string{"k2_hard.h5", "k2_bi.h5", "rnn_tanh_1_mul_numbers_mean.h5", "weights_gru.weights.h5", "k2_weights.h5"}

func FuzzH5(f *testing.F) {
	for _, name := range small {
		f.Add(golden(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) { readable(t, file, len(file), len(file)) })
}

// A zip has checksums, so what is in it is given, unless raw is a zip itself.
func FuzzKeras(f *testing.F) {
	for _, name := range []string{"as_written.keras", "masked_numbers.keras", "k2_keras.keras", "sigmoid.keras"} {
		file := golden(f, name)
		config, weights := parts(f, file)
		f.Add(config, weights, false)
		f.Add("", string(file), true)
	}
	_, weights := parts(f, golden(f, "as_written.keras"))
	f.Add(functional(`["b",0,0]`, layerJSON("InputLayer", "in", ""), layerJSON("GRU", "b", "", "in")), weights, false)
	f.Fuzz(func(t *testing.T, config, weights string, raw bool) {
		file := []byte(weights)
		if !raw {
			file = keras(config, weights)
		}
		size := 0
		if z, err := zip.NewReader(bytes.NewReader(file), int64(len(file))); err == nil {
			for _, m := range z.File {
				size += int(min(m.UncompressedSize64, 32*m.CompressedSize64+1<<20, uint64(32*len(file)+1<<20)))
			}
		}
		readable(t, file, max(size, len(file)), max(len(config), size))
	})
}
