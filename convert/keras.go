package convert

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sluice/convert/internal/kerasfile"
	"sluice/model"
	"sluice/rnn"
)

// readKeras reads a .keras, a whole model in .h5, or weights alone in .weights.h5, of
// Keras 2 or 3, of a given size in bytes: an Embedding, or a Dense with ReLU, or
// neither; SimpleRNN, GRU, LSTM, each alone or in a Bidirectional; the last step or a
// pool, or neither; a Dense. Layers that act in training alone are left out. Weights
// are moved bit for bit; what has no equal here is refused with the layer's name. Of a
// Dense with one output and a sigmoid, σ(s), the head here has two, 0 and s, whose
// softmax is 1−σ(s) and σ(s).
//
// Weights alone do not say the order of layers of different classes, activations, or
// what the head reads: an order is taken if it is the only one that fits; activations
// are Keras' defaults; a layer alone goes forwards; Pool is "". Notes say so.
//
// With S the size of the file, uncompressed, it allocates no more than 40 times S and
// what the config takes, at most 400 MiB: see kerasfile.Open.
func readKeras(r io.ReaderAt, size int64, o Options) (*Parts, error) {
	f, err := kerasfile.Open(r, size)
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	k := &keras{Parts: &Parts{whole: f.Kind == kerasfile.Keras || f.Kind == kerasfile.H5}, o: o, version: f.Version}
	layers := f.Layers
	if !k.whole {
		if layers, err = k.guess(f); err != nil {
			return nil, err
		}
	}
	if wrongs := audit(nil, layers); len(wrongs) > 0 {
		return nil, fmt.Errorf("convert: %s", strings.Join(wrongs[:min(len(wrongs), mostWrongs)], "; "))
	}
	for i := range layers {
		if i == 0 {
			k.rows, k.steps = fixed(&layers[i])
		}
		if err := k.layer(&layers[i]); err != nil {
			return nil, err
		}
	}
	return k.Parts, k.end()
}

// keras makes Parts of layers, one after the other.
type keras struct {
	*Parts
	o       Options
	version string
	mask    string // the layer that masks steps, "" without
	done    bool   // the head has its activation
}

const mostWrongs = 32 // that an error lists

// refuse is the error of a layer that cannot be as it is.
func refuse(l *kerasfile.Layer, format string, args ...any) error {
	return fmt.Errorf("convert: %.80q of class %.80s: %s", l.Name, l.Class, fmt.Sprintf(format, args...))
}

// trainingOnly are the layers that do nothing in use.
var trainingOnly = []string{"Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise", "AlphaDropout", "ActivityRegularization"}

// layer takes one.
func (k *keras) layer(l *kerasfile.Layer) error {
	if l.Config["quantization_config"] != nil {
		return refuse(l, "its weights are quantised, want floats")
	}
	k.precision(l)
	switch {
	case l.Class == "InputLayer":
		return nil
	case slices.Contains(trainingOnly, l.Class):
		k.note("%s %q acts in training alone and is left out", l.Class, short(l.Name))
		return nil
	}
	switch l.Class {
	case "Masking":
		if k.Symbols || k.Input != nil || len(k.Stack) > 0 {
			return refuse(l, "it is not the first layer: which steps it masks follows from their values")
		}
		value, _ := l.Config["mask_value"].(float64)
		fill := float32(value)
		k.mask, k.masked = l.Name, &fill
		return nil
	case "Embedding":
		return k.embedding(l)
	case "SimpleRNN", "GRU", "LSTM", "Bidirectional":
		return k.recurrent(l)
	case "GlobalAveragePooling1D":
		return k.pool(l, model.PoolMean)
	case "GlobalMaxPooling1D":
		return k.pool(l, model.PoolMax)
	case "Dense":
		return k.dense(l, l)
	case "TimeDistributed":
		if len(l.Inside) != 1 || l.Inside[0].Class != "Dense" {
			break
		}
		if k.pooled() {
			return refuse(l, "it is after a layer that gives one output of a sequence")
		}
		return k.dense(l, &l.Inside[0])
	case "Activation":
		return k.activation(l, text(l, "activation"))
	case "Softmax":
		if axis, ok := l.Config["axis"].(float64); !ok || axis != -1 {
			return refuse(l, "axis %v, want -1", l.Config["axis"])
		}
		return k.activation(l, "softmax")
	}
	return refuse(l, "has no equal here, want Embedding, SimpleRNN, GRU, LSTM, Bidirectional, GlobalAveragePooling1D, GlobalMaxPooling1D, Dense, or what acts in training alone")
}

// fixed are the rows and the steps that the first layer is fixed to, 0 where it is not.
func fixed(l *kerasfile.Layer) (rows, steps int) {
	shape, ok := l.Config["batch_shape"].([]any)
	if !ok { // Keras 2
		shape, _ = l.Config["batch_input_shape"].([]any)
	}
	const most = 1024 // more is not tried
	var sizes [2]int
	for i, size := range shape[:min(len(shape), len(sizes))] {
		if n, _ := size.(float64); n >= 1 && n <= most {
			sizes[i] = int(n)
		}
	}
	return sizes[0], sizes[1]
}

// short is a foreign name of bounded length.
func short(name string) string { return name[:min(len(name), 80)] }

// text is a field of a layer's config, "" where it is null or missing. What is no
// text, such as an activation of the user's own, is the text of no function.
func text(l *kerasfile.Layer, field string) string {
	switch v := l.Config[field].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return short(fmt.Sprint(v))
	}
}

// precision notes what Keras computes in other than float32.
func (k *keras) precision(l *kerasfile.Layer) {
	dtype, _ := l.Config["dtype"].(string)
	if policy, ok := l.Config["dtype"].(map[string]any); ok { // since Keras 3
		config, _ := policy["config"].(map[string]any)
		dtype, _ = config["name"].(string)
	}
	if dtype != "" && dtype != "float32" && l.Class != "InputLayer" {
		k.note("Keras computes %q in %q, here it is in float32", short(l.Name), short(dtype))
	}
}

// pooled says whether what comes now is one output of a sequence.
func (k *keras) pooled() bool { return k.Pool != "" && k.Pool != EveryStep }

func (k *keras) embedding(l *kerasfile.Layer) error {
	if k.Symbols || k.Input != nil || k.mask != "" || len(k.Stack) > 0 {
		return refuse(l, "it is not the first layer")
	}
	w := arrayOf(l, "embeddings")
	if len(w.Shape) != 2 || w.Shape[0] == 0 || w.Shape[1] == 0 {
		return refuse(l, "embeddings %v, want (V, E)", w.Shape)
	}
	k.Symbols, k.Embed = true, tensor(w)
	if l.Config["mask_zero"] == true {
		k.mask, k.masked = l.Name, new(float32)
	}
	return nil
}

// pool takes a layer that makes one output of all steps.
func (k *keras) pool(l *kerasfile.Layer, how string) error {
	format := text(l, "data_format")
	switch {
	case len(k.Stack) == 0 || k.Head != nil || k.pooled():
		return refuse(l, "it is not after the outputs of a recurrent layer at all steps")
	case format != "" && format != "channels_last":
		return refuse(l, "data_format %.80q, want channels_last", format)
	case l.Config["keepdims"] == true:
		return refuse(l, "keepdims true, want false")
	}
	k.Pool = how
	return nil
}

// end checks that the layers make a model, and says what it does with padding.
func (k *keras) end() error {
	if len(k.Stack) == 0 {
		return fmt.Errorf("convert: no recurrent layer in the file, want SimpleRNN, GRU or LSTM")
	}
	last := k.Stack[len(k.Stack)-1]
	switch {
	case !k.whole && k.Pool == "":
		k.note("weights alone do not say whether the head reads each step or the last one")
	case k.Pool == "":
		k.Pool = EveryStep
	case k.Pool == model.PoolLast && last.Direction == rnn.Bidirectional && last.Merge != rnn.Concat:
		return fmt.Errorf("convert: the last outputs of two directions, which are at different steps, are merged by %s, want concat, or a pool", last.Merge)
	}
	if k.mask == "" {
		if k.whole {
			k.note("nothing masks steps: Keras reads all steps of a batch, padding too; here a row ends at its length")
		}
		return nil
	}
	k.note("%q masks steps wherever they are; here a row ends at its length: the same where all that is masked is at the end", short(k.mask))
	switch {
	case k.Pool == EveryStep:
		k.note("past a row's end Keras repeats the last output, or gives zeros after a Bidirectional; here outputs are zeros")
	case k.Pool == model.PoolMax:
		k.note("Keras' maximum is over masked steps, too: after a Bidirectional these are zeros; here it is over a row's own steps")
	case k.Pool == model.PoolMean:
		k.note("of a row without steps Keras' mean is NaN, here it is 0")
	}
	return nil
}
