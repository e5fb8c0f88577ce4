package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"strings"

	"sluice/data"
	"sluice/model"
	"sluice/nn"
)

// Examples are sequences with what is to be said of each as Data:
// [PrepareTags], [PrepareLabels] and [PrepareSeries] make them.
type Examples struct {
	Corpus  string // the data's name, if it has one
	SHA256  string // of what is trained on and held out, in hex
	Names   model.Names
	Train   model.Examples
	HeldOut model.Examples // nil: nothing is held out
	Vectors *Vectors       // the embedding starts with; nil: none
	Weights []float32      // of labels, by which their examples count in the mean; nil: all 1
	Padding float64        // the share of steps × rows of an epoch's minibatches that is padding
	Rare    []string       // labels of one example to train on
}

// Vectors are embeddings of words that are known before training.
type Vectors struct {
	Words  []string
	Width  int
	Values []float32 // (words, width)
	SHA256 string    // of their file, in hex
}

func (x *Examples) about() about {
	a := about{identity: identity{SHA256: x.SHA256, Train: x.Train.Len()}, corpus: x.Corpus, names: x.Names, weights: x.Weights}
	if x.HeldOut != nil {
		a.HeldOut = x.HeldOut.Len()
	}
	if x.Vectors != nil {
		a.start, a.Vectors = x.embed, x.Vectors.SHA256
	}
	return a
}

// embed sets the embeddings of the words that have a vector.
func (x *Examples) embed(m *model.Model) {
	for _, t := range m.Tensors() {
		if t.Name != "embed.weight" {
			continue
		}
		w := x.Vectors.Width
		for i, word := range x.Vectors.Words {
			if id, ok := x.Names.Vocab.ID(word); ok {
				copy(t.Data[int(id)*w:(int(id)+1)*w], x.Vectors.Values[i*w:(i+1)*w])
			}
		}
	}
}

// exampleDealer deals examples in buckets.
type exampleDealer struct {
	*data.Buckets
	of model.Examples
}

func (d *exampleDealer) Carries() bool { return false }

func (d *exampleDealer) next() (model.Batch, error) {
	rows := d.Next()
	if rows == nil {
		return model.Batch{}, nil
	}
	return d.of.Batch(rows), nil
}

func (x *Examples) dealer(c Config) (dealer, error) {
	lengths := make([]int, x.Train.Len())
	for i := range lengths {
		lengths[i] = x.Train.Steps(i)
	}
	buckets, err := data.NewBuckets(lengths, data.BucketOptions{Rows: c.Batches.Batch, Tokens: c.Tokens, Seed: c.Seed})
	if err != nil {
		return nil, err
	}
	x.Padding = buckets.Padding()
	return &exampleDealer{buckets, x.Train}, nil
}

func (x *Examples) score(ctx context.Context, _ Config, p *model.Packed, team *nn.Team) (loss, figure float64, err error) {
	switch of := x.HeldOut.(type) {
	case *model.Sentences:
		s, err := model.ScoreTags(ctx, p, team, of, nil)
		if err != nil {
			return 0, 0, err
		}
		return s.Loss(), s.Figure(p.Scheme), nil
	case *model.Sequences:
		s, err := model.ScoreLabels(ctx, p, team, of, nil)
		if err != nil {
			return 0, 0, err
		}
		return s.Loss(), s.MacroF1(), nil
	case *model.Windows:
		s, err := model.ScoreForecasts(ctx, p, team, of, nil)
		if err != nil {
			return 0, 0, err
		}
		return s.Loss(), 0, nil
	}
	panic(fmt.Sprintf("train: examples of type %T", x.HeldOut))
}

// balanced are weights of labels by which their examples count, nil for none: a label
// of fewer examples counts more, so that all together count alike.
func (x *Examples) balanced(c Config) []float32 {
	of, ok := x.Train.(*model.Sequences)
	if !ok || c.ClassWeights != WeightsBalanced {
		return nil
	}
	counts := of.Counts(len(x.Names.Labels))
	weights := make([]float32, len(counts))
	for k, n := range counts {
		weights[k] = float32(float64(of.Len()) / float64(len(counts)*max(1, n)))
	}
	return weights
}

// digest is the sha256 of values, each as JSON.
type digest struct{ hash.Hash }

func newDigest() digest { return digest{sha256.New()} }

func (d digest) add(values ...any) {
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err) // strings and finite numbers
		}
		d.Write(append(b, '\n'))
	}
}

func (d digest) String() string { return hex.EncodeToString(d.Sum(nil)) }

// PrepareTags makes the vocabularies and labels of sentences, those that are
// trained on, and numbers of all. vectors may be nil. An error of a sentence begins
// with its place.
func PrepareTags(c Config, p *Parts[data.Sentence], vectors *Vectors) (*Examples, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	for _, part := range [][]data.Sentence{p.Train, p.HeldOut, p.Test} {
		for _, s := range part {
			switch n := len(s.Words); {
			case n == 0:
				return nil, fmt.Errorf("%s: a sentence without words", s.Place())
			case s.Tags != nil && len(s.Tags) != n:
				return nil, fmt.Errorf("%s: %d tags of %d words: want one each", s.Place(), len(s.Tags), n)
			}
		}
	}
	scheme, err := convert(c, p)
	if err != nil {
		return nil, err
	}
	p.divide(c, placeOfSentence, func(s data.Sentence) []string { return s.Tags })
	x, files := &Examples{Names: model.Names{Scheme: scheme}, Vectors: vectors}, filesOf(p.Train, placeOfSentence)
	sum := newDigest()
	var words, forms, tags []string
	for i, part := range [][]data.Sentence{p.Train, p.HeldOut} {
		sum.add(len(part))
		for _, s := range part {
			if sum.add(s.Words, s.Tags); i > 0 {
				continue
			}
			for k, w := range s.Words {
				words, forms = append(words, model.Word(w, c.Model.Lower)), append(forms, w)
				if s.Tags != nil {
					tags = append(tags, s.Tags[k])
				}
			}
		}
	}
	x.Names.Labels = model.LabelsOf(tags)
	if err := choice(files, "tag", x.Names.Labels); err != nil {
		return nil, err
	}
	if x.Names.Vocab, err = wordsOf(words, c.Vocab, vectors); err != nil {
		return nil, fmt.Errorf("%s: %w", files, err)
	}
	if vectors != nil && c.Model.Embed != vectors.Width {
		return nil, fmt.Errorf("train: vectors of width %d for an embedding of width %d: want the same", vectors.Width, c.Model.Embed)
	}
	if c.Model.Chars.Embed > 0 {
		if x.Names.Characters, err = data.BuildVocab(strings.Join(forms, ""), data.VocabOptions{Unknown: "unk"}); err != nil {
			return nil, err
		}
	}
	x.SHA256 = sum.String()
	if err := number(x, p, func(part []data.Sentence) (*model.Sentences, error) {
		return model.NewSentences(c.Model, x.Names, part, true)
	}); err != nil {
		return nil, err
	}
	return x, x.bounded(c, func(i int) string { return p.Train[i].Place() })
}

// number makes numbers of what is trained on and held out.
func number[E any, X model.Examples](x *Examples, p *Parts[E], of func(part []E) (X, error)) error {
	if len(p.Train) == 0 {
		return errors.New("train: nothing to train on: want an example at least")
	}
	one, err := of(p.Train)
	if err != nil {
		return err
	}
	x.Train = one
	if len(p.HeldOut) == 0 {
		return nil
	}
	other, err := of(p.HeldOut)
	if err != nil {
		return err
	}
	x.HeldOut = other
	return nil
}

// wordsOf is the vocabulary of words and of those that have vectors.
func wordsOf(words []string, o data.VocabOptions, vectors *Vectors) (*data.Vocab, error) {
	v, err := data.BuildVocab(strings.Join(words, " "), o)
	if err != nil && o.MinCount > 1 {
		return nil, fmt.Errorf("no word is there %d times, the min-count: want a lower one", o.MinCount)
	}
	if err != nil || vectors == nil {
		return v, err
	}
	var all []string
	for id := range int32(v.Size()) {
		all = append(all, v.Symbol(id))
	}
	for _, w := range vectors.Words {
		if _, ok := v.ID(w); !ok && (o.MaxSize == 0 || len(all) < o.MaxSize) {
			all = append(all, w)
		}
	}
	return data.NewVocab(v.Kind(), v.Policy(), all)
}

// PrepareLabels makes the vocabulary and labels of examples, those that are
// trained on, and numbers of all. An error of an example begins with its place.
func PrepareLabels(c Config, p *Parts[data.Example]) (*Examples, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	p.divide(c, placeOfExample, func(e data.Example) []string { return []string{e.Label} })
	x, sum, files := &Examples{}, newDigest(), filesOf(p.Train, placeOfExample)
	var labels, texts []string
	for i, part := range [][]data.Example{p.Train, p.HeldOut} {
		sum.add(len(part))
		for _, e := range part {
			for _, v := range e.Values {
				if v-v != 0 {
					return nil, fmt.Errorf("%s: %v: want finite numbers", e.Place(), v)
				}
			}
			if sum.add(e.Label, e.Text, e.Values); i == 0 && e.Label != "" { // else an error follows
				labels, texts = append(labels, e.Label), append(texts, e.Text)
			}
		}
	}
	x.Names.Labels, x.SHA256 = model.LabelsOf(labels), sum.String()
	if err := choice(files, "label", x.Names.Labels); err != nil {
		return nil, err
	}
	if c.Model.Features > 0 && c.Tokenizer != nil {
		return nil, fmt.Errorf("%s: numbers: a tokenizer is for texts", files)
	}
	if c.Model.Features == 0 {
		var err error
		between := ""
		if c.Vocab.Kind == "word" {
			between = " "
		}
		if x.Names.Vocab, err = c.vocabulary(func() (*data.Vocab, error) { return data.BuildVocab(strings.Join(texts, between), c.Vocab) }); err != nil {
			return nil, fmt.Errorf("%s: %w", files, err)
		}
	}
	if err := number(x, p, func(part []data.Example) (*model.Sequences, error) {
		return model.NewSequences(c.Model, x.Names, part, true)
	}); err != nil {
		return nil, err
	}
	x.Weights = x.balanced(c)
	for k, n := range x.Train.(*model.Sequences).Counts(len(x.Names.Labels)) {
		if n == 1 {
			x.Rare = append(x.Rare, x.Names.Labels[k])
		}
	}
	return x, x.bounded(c, func(i int) string { return p.Train[i].Place() })
}

// Borders are where the parts of a series end: what is trained on, what is held
// out, and what is for a test. A fraction of 1 and more is a number of steps.
func (c Config) Borders(n int) (train, heldOut, test int, err error) {
	if c.MaxRows > 0 {
		n = min(n, c.MaxRows)
	}
	steps := func(part float64) int {
		if part >= 1 {
			return int(part)
		}
		_, rest := data.Fractions{Test: part}.Ends(n)
		return n - rest
	}
	h, t := steps(c.Split.Validation), steps(c.Split.Test)
	if train = n - h - t; train < c.Model.Forecast.Window+c.Model.Forecast.Horizon {
		return 0, 0, 0, fmt.Errorf("train: a series of %d steps, %d of them held out and %d for a test: %d are left, want %d at least, a window of %d and a horizon of %d", n, h, t, train, c.Model.Forecast.Window+c.Model.Forecast.Horizon, c.Model.Forecast.Window, c.Model.Forecast.Horizon)
	}
	return train, train + h, n, nil
}

// PrepareSeries scales series by the part of them that is trained on and cuts
// windows of them.
func PrepareSeries(c Config, s *data.Series) (*Examples, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a, b, _, err := c.Borders(s.Len())
	if err != nil {
		return nil, err
	}
	k, sum := len(s.Names), newDigest()
	for i, v := range s.Values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("train: series %q has %v at step %d: want finite numbers", s.Names[i%k], v, i/k)
		}
	}
	sum.add(s.Names, s.Values[:b*k], a)
	x := &Examples{SHA256: sum.String()}
	x.Names.Series = &model.Series{Names: s.Names, Scaler: data.FitScaler(s.Values[:a*k], k), Season: c.Season, Step: s.Step}
	if x.Train, err = model.NewWindows(c.Model, x.Names, s.Values, min(a, c.Model.Forecast.Window), a); err != nil {
		return nil, err
	}
	if b > a {
		if x.HeldOut, err = model.NewWindows(c.Model, x.Names, s.Values, a, b); err != nil {
			return nil, fmt.Errorf("train: the part held out: %w", err)
		}
	}
	return x, nil
}
