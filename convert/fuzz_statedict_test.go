package convert

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sluice/model"
	"sluice/rnn"
)

// textOf are the tensors of a model's state dict: a line each, its name and sizes.
func textOf(t testing.TB, m *model.Model) string {
	_, tensors, err := m.Contents()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, tensor := range tensors {
		fmt.Fprintf(&b, "%s %s\n", tensor.Name, strings.Trim(fmt.Sprint(tensor.Shape), "[]"))
	}
	return b.String()
}

// dictOf is the state dict of such lines, its values zeros, and the bytes that it
// holds. Tensors that hold many are left out: no reader gives a shape that its file
// does not fill.
func dictOf(text string) (d *stateDict, size int) {
	d = newStateDict()
	for line := range strings.Lines(text) {
		name, sizes, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		var shape []int
		n := 1
		for field := range strings.FieldsSeq(sizes) {
			v, err := strconv.Atoi(field)
			if err != nil || v < 0 {
				continue
			}
			if n > 0 && v > 1<<14/n {
				n = -1
			}
			shape = append(shape, v)
			n *= v
		}
		if slices.Contains(shape, 0) {
			n = 0
		}
		if n < 0 || n > 0 && size > 1<<17 {
			continue
		}
		d.tensors[name] = stateTensor{shape, func() ([]float32, error) { return make([]float32, n), nil }}
		size += len(name) + 8*len(shape) + 4*n
	}
	return d, size
}

// optionsOf are options that name tensors of a state dict, as five bytes say.
func optionsOf(d *stateDict, choice []byte) (o Options) {
	choice = append(choice, make([]byte, 6)...)
	names := append(newFinder(d, nil).names(), "none", "rnn", "lstm", "encoder.rnn")
	name := func(c byte) string {
		if c < 128 {
			return ""
		}
		return names[int(c-128)%len(names)]
	}
	o.Task = tasks[int(choice[0])%len(tasks)]
	o.Activation = []string{"", "tanh", "relu"}[int(choice[0]/8)%3]
	o.Pool = []string{"", model.PoolMean, model.PoolMax}[int(choice[0]/32)%3]
	o.Embed, o.Input, o.Head = name(choice[1]), name(choice[2]), name(choice[3])
	if stack := name(choice[4]); stack != "" {
		o.Stack = []string{stack}
	}
	if choice[5] > 0 {
		o.Ignore = []string{name(choice[5])}
	}
	return o
}

// smallModels are models whose tensors a state dict can have.
func smallModels(t testing.TB) (all []*model.Model) {
	for i, c := range stacks() {
		if c.Hidden = 2; i%7 > 0 || c.Projection > 0 || c.Merge != "" && c.Merge != rnn.Concat {
			continue
		}
		for _, s := range specs(c) {
			if s.Tied {
				s.Embed = c.OutputSize()
			}
			all = append(all, modelOf(t, s))
		}
	}
	return all
}

// No state dict makes parts, Model or like panic, or allocate more than its tensors
// hold; what is imported can be saved.
func FuzzStateDict(f *testing.F) {
	models := smallModels(f)
	for i, m := range models {
		f.Add(textOf(f, m), []byte{byte(i), 0, 0, 0, 0, 0})
		f.Add(textOf(f, m), []byte{byte(i), byte(i) | 128, 0, byte(3*i) | 128, 0, 1})
	}
	for _, text := range []string{
		"rnn.weight_ih_l1023_reverse 1 1\n", "weight_ih 1 1\nweight_hh 1 1\nhead.weight 2147483648 0\n",
		"weight_ih 1 1\nweight_hh 1 1\nhead.weight 1 1\nembed.weight 9223372036854775807 0\n",
		"a.start_transitions 1\na.transitions 1 1\nb.start_transitions 1\nb.transitions 1 1\nweight_ih 1 1\nweight_hh 1 1\n",
		"rnn.weight_ih_l0 4 1\nrnn.weight_hh_l0 4 1\nrnn.weight_hr_l0 1 0\n", "weight_ih 4 1\nweight_hh 4 1\nweight_hr 1 1\nhead.weight 1 1\n",
	} {
		f.Add(text, []byte{7, 255, 255, 255, 0, 0})
	}
	f.Fuzz(func(t *testing.T, text string, choice []byte) {
		d, size := dictOf(text)
		o := optionsOf(d, choice)
		var m *model.Model
		var err error
		got := allocated(func() {
			var p *Parts
			if p, err = d.parts(o); err == nil {
				m, err = p.Model(o)
			}
		})
		if want := uint64(dictTimes*size + dictMore); got > want {
			t.Errorf("a state dict of %d bytes: %d allocated, want at most %d", size, got, want)
		}
		checkImported(t, m, err)
		like := models[(len(text)+len(choice))%len(models)]
		got = allocated(func() { m, err = d.like(like, nil) })
		if want := uint64(dictTimes*size + dictMore); got > want {
			t.Errorf("a state dict of %d bytes beside a model: %d allocated, want at most %d", size, got, want)
		}
		checkImported(t, m, err)
	})
}

// checkImported wants a model that can be saved, or an error of one line.
func checkImported(t *testing.T, m *model.Model, err error) {
	t.Helper()
	if err != nil {
		checkLine(t, err)
		return
	}
	checkSaved(t, m)
}

// What a state dict's names and empty tensors claim takes no memory.
func TestStateDictClaims(t *testing.T) {
	const cell = "weight_ih 1 1\nweight_hh 1 1\n"
	large := fmt.Sprint(math.MaxInt32)
	for _, c := range []struct {
		text string
		o    Options
		want string
	}{
		{"rnn.weight_ih_l1023 1 1\n", Options{}, `"rnn." has layer 1023 and 1 tensors: want those of every layer`},
		{cell + "head.weight " + large + " 0\n", Options{Head: "head"}, `head "head": want the name of a matrix`},
		{cell + "embed.weight " + large + " 0\nhead.weight 2 1\n", Options{Embed: "embed", Task: model.LM}, `embed "embed": want the name of a matrix`},
		{cell + "in.weight " + large + " 0\nhead.weight 2 1\n", Options{Input: "in"}, `input "in": want the name of a matrix`},
		{"rnn.weight_ih_l0 4 1\nrnn.weight_hh_l0 4 1\nrnn.weight_hr_l1 1 1\nrnn.weight_ih_l1 4 1\nrnn.weight_hh_l1 4 1\n", Options{}, `without use: "rnn.weight_hr_l1"`},
		{"rnn.weight_ih_l0 1 1\nrnn.weight_hh_l0 1 1\nrnn.weight_hh_l00 1 1\n", Options{}, `without use: "rnn.weight_hh_l00"`},
		{cell + "a.start_transitions 1\na.transitions 1 1\na.end_transitions 1\nb.start_transitions 1\nb.transitions 1 1\n", Options{}, `"b.start_transitions" is of a second conditional random field: want one`},
	} {
		d, _ := dictOf(c.text)
		var err error
		if got := allocated(func() { _, err = d.parts(c.o) }); got > 1<<20 {
			t.Errorf("%q: %d bytes allocated", c.text, got)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.want)
		}
	}
}

// Many small tensors keep to what parts promises.
func TestStateDictMemory(t *testing.T) {
	many := func(format string, n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+" 0\n", i)
		}
		return b.String()
	}
	const cell = "rnn.weight_ih_l0 1 1\nrnn.weight_hh_l0 1 1\n"
	for _, n := range []int{1, 100, 1e5} {
		for name, text := range map[string]string{
			"tensors": cell + many("%d", n), "prefixes": many("%dweight_ih", n), "layers": cell + many("rnn.weight_ih_l%d", min(n, 1000)),
			"directions": cell + many("rnn.weight_hh_l%d_reverse", min(n, 1000)), "fields": cell + many("%dstart_transitions", n),
		} {
			d, size := dictOf(text)
			var err error
			got := allocated(func() { _, err = d.parts(Options{}) })
			if want := uint64(dictTimes*size + dictMore); got > want {
				t.Errorf("%d %s of %d bytes: %d allocated, want at most %d", n, name, size, got, want)
			}
			if err == nil {
				t.Errorf("%d %s: no error", n, name)
				continue
			}
			checkLine(t, err)
			if testing.Verbose() {
				t.Logf("%d %s of %d bytes: %.1f times: %.100v", n, name, size, float64(got)/float64(size), err)
			}
		}
	}
}
