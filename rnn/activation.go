package rnn

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/kernel"
)

// function is one that a gate may have, of a number x and up to two parameters.
type function struct {
	defaults []float32 // of its parameters
	at       func(x, a, b float32) float32
	slope    func(x, y, a, b float32) float32 // y is what at gives. At a kink it is that from the left
}

// functions are those of the operators RNN, GRU and LSTM of ONNX under the names
// that its own operators of one number have, and some more that Keras has.
var functions = map[string]function{
	"sigmoid": {
		at:    func(x, _, _ float32) float32 { return kernel.Sigmoid(x) },
		slope: func(_, y, _, _ float32) float32 { return (1 - y) * y },
	},
	"tanh": {
		at:    func(x, _, _ float32) float32 { return kernel.Tanh(x) },
		slope: func(_, y, _, _ float32) float32 { return 1 - float32(y*y) },
	},
	"relu": {
		at:    func(x, _, _ float32) float32 { return max(0, x) },
		slope: func(_, y, _, _ float32) float32 { return unless(y <= 0, 1) },
	},
	"relu6": {
		at:    func(x, _, _ float32) float32 { return min(6, max(0, x)) },
		slope: func(_, y, _, _ float32) float32 { return unless(y <= 0 || y >= 6, 1) },
	},
	"identity": {
		at:    func(x, _, _ float32) float32 { return x },
		slope: func(_, _, _, _ float32) float32 { return 1 },
	},
	"affine": {
		defaults: []float32{1, 0},
		at:       func(x, a, b float32) float32 { return float32(a*x) + b },
		slope:    func(_, _, a, _ float32) float32 { return a },
	},
	"scaled_tanh": {
		defaults: []float32{1, 1},
		at:       func(x, a, b float32) float32 { return a * kernel.Tanh(b*x) },
		slope: func(x, _, a, b float32) float32 {
			t := kernel.Tanh(b * x)
			return a * b * (1 - float32(t*t))
		},
	},
	"hard_sigmoid": {
		defaults: []float32{0.2, 0.5},
		at:       func(x, a, b float32) float32 { return min(1, max(0, float32(a*x)+b)) },
		slope:    func(_, y, a, _ float32) float32 { return unless(y <= 0 || y >= 1, a) },
	},
	"leaky_relu": {
		defaults: []float32{0.01},
		at:       func(x, a, _ float32) float32 { return pick(x > 0, x, a*x) },
		slope:    func(x, _, a, _ float32) float32 { return pick(x > 0, 1, a) },
	},
	"thresholded_relu": {
		defaults: []float32{1},
		at:       func(x, a, _ float32) float32 { return unless(x <= a, x) },
		slope:    func(x, _, a, _ float32) float32 { return unless(x <= a, 1) },
	},
	"elu": {
		defaults: []float32{1},
		at:       func(x, a, _ float32) float32 { return pick(x > 0, x, a*expm1(x)) },
		slope:    func(x, y, a, _ float32) float32 { return pick(x > 0, 1, y+a) },
	},
	"selu": { // Klambauer et al. 2017 (arXiv 1706.02515)
		at:    func(x, _, _ float32) float32 { return pick(x > 0, seluScale*x, seluScale*seluAlpha*expm1(x)) },
		slope: func(x, y, _, _ float32) float32 { return pick(x > 0, seluScale, y+seluScale*seluAlpha) },
	},
	"softsign": {
		at: func(x, _, _ float32) float32 { return x / (1 + abs(x)) },
		slope: func(x, _, _, _ float32) float32 {
			d := 1 / (1 + abs(x))
			return d * d
		},
	},
	"softplus": {
		at:    func(x, _, _ float32) float32 { return max(0, x) + float32(math.Log1p(math.Exp(-float64(abs(x))))) },
		slope: func(x, _, _, _ float32) float32 { return kernel.Sigmoid(x) },
	},
	"silu": {
		at: func(x, _, _ float32) float32 { return x * kernel.Sigmoid(x) },
		slope: func(x, _, _, _ float32) float32 {
			s := kernel.Sigmoid(x)
			return s * (1 + float32(x*(1-s)))
		},
	},
	"exponential": {
		at:    func(x, _, _ float32) float32 { return kernel.Exp(x) },
		slope: func(_, y, _, _ float32) float32 { return y },
	},
}

const (
	seluScale = float32(1.0507009873554805)
	seluAlpha = float32(1.6732632423543772)
)

func pick(a bool, x, y float32) float32 {
	if a {
		return x
	}
	return y
}

func unless(not bool, x float32) float32 { return pick(not, 0, x) }
func abs(x float32) float32              { return float32(math.Abs(float64(x))) }
func expm1(x float32) float32            { return float32(math.Expm1(float64(x))) }

// activation is a function with its parameters.
type activation struct {
	name string
	function
	a, b float32
}

// standard are the activations of a built-in cell where a Config names none, and
// what they are of.
func standard(cell string) (names []string, of string) {
	switch cell {
	case "rnn":
		return []string{"tanh"}, "1 function, of h"
	case "gru":
		return []string{"sigmoid", "tanh"}, "2 functions, of r and z and of n"
	case "lstm":
		return []string{"sigmoid", "tanh", "tanh"}, "3 functions, of i, f and o, of g and of c"
	}
	return nil, ""
}

// activations are those of a valid Config.
func (c Config) activations() (all []activation) {
	fields, _ := standard(c.Cell)
	if c.Activation != "" {
		fields = strings.Fields(c.Activation)
	}
	for _, field := range fields {
		f, err := parseActivation(field)
		if err != nil {
			panic(err)
		}
		all = append(all, f)
	}
	return all
}

// SpellActivation is how a Config of a built-in cell spells the activations that
// text names: there is one spelling for equal functions, and it is "" for those of
// the textbook. text has a function for each place, separated by spaces: of an rnn
// that of h, of a gru that of r and z and that of n, of an lstm that of i, f and
// o, that of g and that of c. A function is a name and, in parentheses and
// separated by a comma, its parameters, of which those left out have their
// defaults:
//
//	sigmoid, tanh, relu, identity, softsign, softplus
//	affine(a,b)          a·x + b                      1, 0
//	leaky_relu(a)        x above 0, else a·x          0.01
//	thresholded_relu(a)  x above a, else 0            1
//	scaled_tanh(a,b)     a·tanh(b·x)                  1, 1
//	hard_sigmoid(a,b)    a·x + b within [0, 1]        0.2, 0.5
//	elu(a)               x above 0, else a·(eˣ − 1)   1
//	selu, silu, relu6, exponential
//
// All but those of the last line are the activations of ONNX's RNN, GRU and LSTM.
// A function that is constant is refused.
func SpellActivation(cell, text string) (string, error) {
	names, of := standard(cell)
	fields := strings.Fields(text)
	if names == nil || len(fields) == 0 {
		return text, nil // the cell's own business, or the standard ones
	}
	if len(fields) != len(names) {
		return "", fmt.Errorf("rnn: activation %.80q: want %s", text, of)
	}
	for i, field := range fields {
		f, err := parseActivation(field)
		if err != nil {
			return "", fmt.Errorf("rnn: activation %.80q: %w", text, err)
		}
		fields[i] = f.String()
	}
	if slices.Equal(fields, names) {
		return "", nil
	}
	return strings.Join(fields, " "), nil
}

// parseActivation reads a function and brings it to its plainest name.
func parseActivation(text string) (f activation, err error) {
	name, list, has := strings.Cut(text, "(")
	function, ok := functions[name]
	if !ok {
		names := slices.Sorted(maps.Keys(functions))
		last := len(names) - 1
		return f, fmt.Errorf("no function %.40q: want %s or %s", name, strings.Join(names[:last], ", "), names[last])
	}
	f = activation{name: name, function: function}
	parameters := [2]float32{}
	copy(parameters[:], f.defaults)
	if has {
		list, closed := strings.CutSuffix(list, ")")
		values := strings.Split(list, ",")
		if !closed || len(values) > len(f.defaults) {
			most := []string{"no parameters", "1 parameter at most", "2 parameters at most"}[len(f.defaults)]
			return f, fmt.Errorf("%.40q: want %s with %s", text, name, most)
		}
		for i, value := range values {
			v, err := strconv.ParseFloat(value, 32)
			if err != nil || v-v != 0 {
				return f, fmt.Errorf("%.40q: %.40q: want a number", text, value)
			}
			parameters[i] = float32(v) + 0 // of −0, 0
		}
	}
	f.a, f.b = parameters[0], parameters[1]
	return f.plainest()
}

// plainest is f under the one name that it has.
func (f activation) plainest() (activation, error) {
	named := func(name string) (activation, error) { return activation{name: name, function: functions[name]}, nil }
	switch {
	case f.a == 0 && (f.name == "affine" || f.name == "hard_sigmoid" || f.name == "scaled_tanh"), f.b == 0 && f.name == "scaled_tanh":
		return f, fmt.Errorf("%s: want a function that is not constant", f.String())
	case f.name == "scaled_tanh" && f.b < 0: // tanh is odd
		f.a, f.b = -f.a, -f.b
	}
	switch {
	case f.name == "scaled_tanh" && f.a == 1 && f.b == 1:
		return named("tanh")
	case f.name == "affine" && f.a == 1 && f.b == 0, f.name == "leaky_relu" && f.a == 1:
		return named("identity")
	case f.a == 0 && (f.name == "leaky_relu" || f.name == "thresholded_relu" || f.name == "elu"):
		return named("relu")
	}
	return f, nil
}

// String is the one spelling of f: parameters that have their defaults are left
// out.
func (f activation) String() string {
	values := []float32{f.a, f.b}[:len(f.defaults)]
	if slices.Equal(values, f.defaults) {
		return f.name
	}
	var texts []string
	for _, v := range values {
		texts = append(texts, strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return f.name + "(" + strings.Join(texts, ",") + ")"
}
