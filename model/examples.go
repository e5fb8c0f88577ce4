package model

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"sluice/data"
	"sluice/nn"
)

// Examples are what a model of sequences learns from or is scored on, as numbers:
// [Sentences], [Sequences] or [Windows].
type Examples interface {
	// Len is how many there are.
	Len() int
	// Steps is the length of example i.
	Steps(i int) int
	// Batch is the minibatch of some of them, in that order. It stands until the
	// next call.
	Batch(examples []int) Batch
}

// MaxSteps is how long a sequence may be.
const MaxSteps = 1 << 16

// lengths are those of all examples.
func lengths(x Examples) []int {
	all := make([]int, x.Len())
	for i := range all {
		all[i] = x.Steps(i)
	}
	return all
}

// eachBatch calls use with minibatches of all examples, the longest first, and
// progress, unless it is nil, with how many of them are done.
func eachBatch(ctx context.Context, x Examples, progress func(done, total int), use func(examples []int)) error {
	all := lengths(x)
	if x.Len() == 0 {
		return nil
	}
	order, err := data.InOrder(all, data.BucketOptions{Rows: 64, Tokens: slices.Max(append(all, 1<<13))})
	if err != nil {
		return err
	}
	done := 0
	for _, examples := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		use(examples)
		if done += len(examples); progress != nil {
			progress(done, x.Len())
		}
	}
	return nil
}

// LabelsOf are the labels of examples in the order of their frequency, equal ones
// in that of their bytes.
func LabelsOf(labels []string) []string {
	times := map[string]int{}
	for _, l := range labels {
		times[l]++
	}
	var all []string
	for l := range times {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b string) int {
		if times[a] != times[b] {
			return times[b] - times[a]
		}
		return strings.Compare(a, b)
	})
	return all
}

// labelIDs are the places of labels.
func labelIDs(labels []string) map[string]int32 {
	ids := make(map[string]int32, len(labels))
	for i, l := range labels {
		ids[l] = int32(i)
	}
	return ids
}

// unknownLabel is the error of a label that the model has none for.
func unknownLabel(what, label string, labels []string) error {
	const most = 8
	shown := labels[:min(most, len(labels))]
	more := ""
	if len(labels) > most {
		more = fmt.Sprintf(" and %d more", len(labels)-most)
	}
	if label == "" {
		return fmt.Errorf("no %s: want one of %.200q%s", what, shown, more)
	}
	return fmt.Errorf("%s %.40q: want one of %.200q%s", what, label, shown, more)
}

// Sentences are words, with or without tags.
type Sentences struct {
	items     []sentence
	spelled   bool
	spellings [][]int32 // of all distinct words, where they are spelled
	batch     Batch
	words     Spellings
	local     []int32 // of a spelling, its place in the minibatch; −1
	order     []int32
}

// sentence is a sentence as numbers.
type sentence struct {
	words, forms, tags []int32 // forms and tags: nil without
}

// Word is how a word is looked up: in lower case where lower says so, and without
// white space.
func Word(word string, lower bool) string {
	if lower {
		word = strings.ToLower(word)
	}
	if strings.ContainsFunc(word, unicode.IsSpace) {
		word = strings.Join(strings.Fields(word), "_")
	}
	return word
}

// NewSentences makes numbers of sentences for a tagger; their tags are wanted for
// training and scores. An error begins with the line of the sentence's first word.
func NewSentences(s Spec, n Names, sentences []data.Sentence, tagged bool) (*Sentences, error) {
	if err := s.only(Tag, "tag sentences"); err != nil {
		return nil, err
	}
	if n.Vocab == nil {
		return nil, errors.New("model: a tagger of numbers: want one of words")
	}
	x, ids, forms := &Sentences{spelled: s.Chars.on()}, labelIDs(n.Labels), map[string]int32{}
	for _, of := range sentences {
		item := sentence{}
		if len(of.Words) > MaxSteps {
			return nil, fmt.Errorf("%s: a sentence of %d words: want at most %d", of.Place(), len(of.Words), MaxSteps)
		}
		switch {
		case tagged && of.Tags == nil:
			return nil, fmt.Errorf("%s: a sentence without tags", of.Place())
		case tagged && len(of.Tags) != len(of.Words):
			return nil, fmt.Errorf("%s: %d tags of %d words: want one each", of.Place(), len(of.Tags), len(of.Words))
		}
		for i, word := range of.Words {
			id, ok := n.Vocab.ID(Word(word, s.Lower))
			if !ok {
				id, ok = n.Vocab.UnknownID()
			}
			if !ok {
				return nil, fmt.Errorf("%s: word %.40q is not in the vocabulary", of.Place(), word)
			}
			item.words = append(item.words, id)
			if x.spelled {
				form, ok := forms[word]
				if !ok {
					form = int32(len(x.spellings))
					forms[word] = form
					x.spellings = append(x.spellings, spell(n.Characters, word))
				}
				item.forms = append(item.forms, form)
			}
			if tagged {
				id, ok := ids[of.Tags[i]]
				if !ok {
					return nil, fmt.Errorf("%s: word %d, %.40q: %w", of.Place(), i+1, word, unknownLabel("tag", of.Tags[i], n.Labels))
				}
				item.tags = append(item.tags, id)
			}
		}
		x.items = append(x.items, item)
	}
	x.local = make([]int32, len(x.spellings))
	for i := range x.local {
		x.local[i] = -1
	}
	return x, nil
}

// spell is a word as characters, MaxSpelling at most.
func spell(v *data.Vocab, word string) (ids []int32) {
	for _, r := range word {
		id, ok := v.ID(string(r))
		if !ok {
			id, ok = v.UnknownID()
		}
		if ok && len(ids) < MaxSpelling {
			ids = append(ids, id)
		}
	}
	return ids
}

func (x *Sentences) Len() int        { return len(x.items) }
func (x *Sentences) Steps(i int) int { return len(x.items[i].words) }

// Batch is one of T steps, the longest sentence's.
func (x *Sentences) Batch(examples []int) Batch {
	b := &x.batch
	b.B, b.T = len(examples), 0
	b.Lengths = b.Lengths[:0]
	for _, e := range examples {
		n := x.Steps(e)
		b.Lengths = append(b.Lengths, n)
		b.T = max(b.T, n)
	}
	n := b.T * b.B
	b.IDs, b.Targets = nn.Grow(b.IDs, n), nn.Grow(b.Targets, n)
	clear(b.IDs)
	for i := range b.Targets {
		b.Targets[i] = nn.Ignore
	}
	for row, e := range examples {
		for t, id := range x.items[e].words {
			b.IDs[t*b.B+row] = id
		}
		for t, id := range x.items[e].tags {
			b.Targets[t*b.B+row] = id
		}
	}
	if x.spelled {
		x.spell(examples)
	}
	return *b
}

// spell sets the spellings of the minibatch, each word's once, longest first;
// padding is spelled as the first.
func (x *Sentences) spell(examples []int) {
	b := &x.batch
	x.order = x.order[:0]
	for _, e := range examples {
		for _, f := range x.items[e].forms {
			if x.local[f] < 0 {
				x.local[f] = 0
				x.order = append(x.order, f)
			}
		}
	}
	slices.SortStableFunc(x.order, func(i, j int32) int { return len(x.spellings[j]) - len(x.spellings[i]) })
	w := &x.words
	w.T, w.N, w.Lengths = 0, len(x.order), w.Lengths[:0]
	for i, f := range x.order {
		x.local[f] = int32(i)
		w.Lengths = append(w.Lengths, len(x.spellings[f]))
		w.T = max(w.T, len(x.spellings[f]))
	}
	w.IDs = nn.Grow(w.IDs, w.T*w.N)
	clear(w.IDs)
	for i, f := range x.order {
		for t, id := range x.spellings[f] {
			w.IDs[t*w.N+i] = id
		}
	}
	b.Forms, b.Spellings = nn.Grow(b.Forms, b.T*b.B), w
	clear(b.Forms)
	for row, e := range examples {
		for t, f := range x.items[e].forms {
			b.Forms[t*b.B+row] = x.local[f]
		}
	}
	for _, f := range x.order {
		x.local[f] = -1
	}
}

// Sequences are sequences of symbols or numbers, with or without a label.
type Sequences struct {
	items    []sequence
	features int // 0: symbols
	batch    Batch
}

type sequence struct {
	ids    []int32
	values []float32 // (T, F)
	label  int32     // nn.Ignore without
}

// NewSequences makes numbers of examples for a classifier; their labels are
// wanted for training and scores. An error begins with the example's line.
func NewSequences(s Spec, n Names, examples []data.Example, labelled bool) (*Sequences, error) {
	if err := s.only(Classify, "classify sequences"); err != nil {
		return nil, err
	}
	x, labels := &Sequences{features: s.Features}, labelIDs(n.Labels)
	for _, e := range examples {
		item := sequence{label: nn.Ignore}
		if labelled {
			id, ok := labels[e.Label]
			if !ok {
				return nil, fmt.Errorf("%s: %w", e.Place(), unknownLabel("label", e.Label, n.Labels))
			}
			item.label = id
		}
		steps := 0
		switch {
		case s.Features > 0:
			if e.Values == nil {
				return nil, fmt.Errorf("%s: a text: the model reads numbers", e.Place())
			}
			if len(e.Values) == 0 || len(e.Values)%s.Features != 0 || e.F != s.Features {
				return nil, fmt.Errorf("%s: numbers of channels: %d, want %d", e.Place(), e.F, s.Features)
			}
			item.values, steps = e.Values, len(e.Values)/s.Features
		case e.Values != nil:
			return nil, fmt.Errorf("%s: numbers: the model reads text", e.Place())
		default:
			ids, err := n.Vocab.Encode(e.Text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", e.Place(), err)
			}
			item.ids, steps = ids, len(ids)
		}
		if steps == 0 && labelled || steps > MaxSteps {
			return nil, fmt.Errorf("%s: a sequence of %d steps: want 1 to %d", e.Place(), steps, MaxSteps)
		}
		x.items = append(x.items, item)
	}
	return x, nil
}

func (x *Sequences) Len() int { return len(x.items) }

func (x *Sequences) Steps(i int) int {
	if x.features > 0 {
		return len(x.items[i].values) / x.features
	}
	return len(x.items[i].ids)
}

// Counts is how many examples each of k labels has.
func (x *Sequences) Counts(k int) []int {
	counts := make([]int, k)
	for _, item := range x.items {
		if item.label != nn.Ignore {
			counts[item.label]++
		}
	}
	return counts
}

// Batch is one of T steps, the longest sequence's.
func (x *Sequences) Batch(examples []int) Batch {
	b := &x.batch
	b.B, b.T = len(examples), 0
	b.Lengths, b.Targets = b.Lengths[:0], b.Targets[:0]
	for _, e := range examples {
		n := x.Steps(e)
		b.Lengths, b.Targets = append(b.Lengths, n), append(b.Targets, x.items[e].label)
		b.T = max(b.T, n)
	}
	if x.features == 0 {
		b.IDs = nn.Grow(b.IDs, b.T*b.B)
		clear(b.IDs)
	} else {
		b.Data = nn.Grow(b.Data, b.T*b.B*x.features)
		clear(b.Data)
	}
	for row, e := range examples {
		for t, id := range x.items[e].ids {
			b.IDs[t*b.B+row] = id
		}
		values := x.items[e].values
		for t := 0; len(values) > 0; t++ {
			copy(b.Data[(t*b.B+row)*x.features:], values[:x.features])
			values = values[x.features:]
		}
	}
	return *b
}
