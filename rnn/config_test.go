package rnn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestConfigErrors(t *testing.T) {
	good := func(cell string) Config {
		c := Config{Cell: cell, Input: 3, Hidden: 4, Layers: 2, Biases: 2}
		if cell == "gru" {
			c.Reset = ResetAfter
		}
		return c
	}
	for _, test := range []struct {
		cell   string
		change func(c *Config)
		want   string
	}{
		{"lstm", func(c *Config) { c.Cell = "" }, `rnn: cell "": want ` + cellNames()},
		{"lstm", func(c *Config) { c.Cell = "LSTM" }, `rnn: cell "LSTM": want ` + cellNames()},
		{"lstm", func(c *Config) { c.Input = 0 }, "rnn: input 0: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Input = -5 }, "rnn: input -5: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Input = 1<<24 + 1 }, "rnn: input 16777217: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Hidden = 0 }, "rnn: hidden 0: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Hidden = -1 }, "rnn: hidden -1: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Hidden = math.MaxInt }, "rnn: hidden 9223372036854775807: want 1 to 16777216"},
		{"lstm", func(c *Config) { c.Layers = 0 }, "rnn: layers 0: want 1 to 1024"},
		{"lstm", func(c *Config) { c.Layers = -1 }, "rnn: layers -1: want 1 to 1024"},
		{"lstm", func(c *Config) { c.Layers = 1025 }, "rnn: layers 1025: want 1 to 1024"},
		{"lstm", func(c *Config) { c.Biases = 0 }, "rnn: biases 0: want 1 to 2"},
		{"lstm", func(c *Config) { c.Biases = 3 }, "rnn: biases 3: want 1 to 2"},
		{"lstm", func(c *Config) { c.Direction = "up" }, `rnn: direction "up": want forward, backward, bidirectional`},
		{"lstm", func(c *Config) { c.Merge = Sum }, `rnn: merge "sum": want none here`},
		{"lstm", func(c *Config) { c.Merge, c.Direction = Concat, Backward }, `rnn: merge "concat": want none here`},
		{"lstm", func(c *Config) { c.Merge, c.Direction = "max", Bidirectional }, `rnn: merge "max": want concat, sum, average, multiply`},
		{"lstm", func(c *Config) { c.Dropout = math.NaN() }, "rnn: dropout NaN: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Dropout = math.Inf(1) }, "rnn: dropout +Inf: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Dropout = -0.1 }, "rnn: dropout -0.1: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Dropout = 1 }, "rnn: dropout 1: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Dropout = 0.9999999999 }, "rnn: dropout 0.9999999999: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Dropout, c.Layers = 0.5, 1 }, "rnn: dropout 0.5: acts between layers, and there is 1"},
		{"lstm", func(c *Config) { c.Zoneout = 1 }, "rnn: zoneout 1: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Zoneout = math.NaN() }, "rnn: zoneout NaN: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.ZoneoutCell = -1 }, "rnn: zoneout_cell -1: want a number in [0, 1)"},
		{"gru", func(c *Config) { c.ZoneoutCell = 0.5 }, "rnn: zoneout_cell 0.5: acts on the c of an lstm, want 0"},
		{"rnn", func(c *Config) { c.ZoneoutCell = 0.5 }, "rnn: zoneout_cell 0.5: acts on the c of an lstm, want 0"},
		{"lstm", func(c *Config) { c.WeightDrop = 0.9999999999 }, "rnn: weight_drop 0.9999999999: want a number in [0, 1)"},
		{"lstm", func(c *Config) { c.Reset = ResetAfter }, `rnn: reset "after": want none here`},
		{"lstm", func(c *Config) { c.Activation = "tanh" }, `rnn: activation "tanh": want 3 functions, of i, f and o, of g and of c`},
		{"rnn", func(c *Config) { c.Reset = ResetBefore }, `rnn: reset "before": want none here`},
		{"rnn", func(c *Config) { c.Activation = "relu relu" }, `rnn: activation "relu relu": want 1 function, of h`},
		{"gru", func(c *Config) { c.Activation = "sigmoid tanh" }, `rnn: activation "sigmoid tanh": want "", which is the same`},
		{"gru", func(c *Config) { c.Clip = -1 }, "rnn: clip -1: want a number of float32 above 0, or 0 for none"},
		{"gru", func(c *Config) { c.Clip = math.NaN() }, "rnn: clip NaN: want a number of float32 above 0, or 0 for none"},
		{"gru", func(c *Config) { c.Clip = math.Inf(1) }, "rnn: clip +Inf: want a number of float32 above 0, or 0 for none"},
		{"gru", func(c *Config) { c.Clip = 1e39 }, "rnn: clip 1e+39: want a number of float32 above 0, or 0 for none"},
		{"gru", func(c *Config) { c.Clip = 1e-60 }, "rnn: clip 1e-60: want a number of float32 above 0, or 0 for none"},
		{"gru", func(c *Config) { c.Peephole = true }, `rnn: peephole: cell "gru" has none, want lstm`},
		{"rnn", func(c *Config) { c.Coupled = true }, `rnn: coupled: cell "rnn" has no such gates, want lstm`},
		{"rnn", func(c *Config) { c.Projection = 2 }, "rnn: projection 2: acts on the h of an lstm, want 0"},
		{"lstm", func(c *Config) { c.Projection = 4 }, "rnn: projection 4: want 0, for none, or less than hidden, 4"},
		{"lstm", func(c *Config) { c.Projection = -1 }, "rnn: projection -1: want 0, for none, or less than hidden, 4"},
		{"lstm", func(c *Config) { c.Projection, c.Clip = 2, 1 }, "rnn: projection 2: want 0 with layer_norm, clip, coupled or an activation"},
		{"lstm", func(c *Config) { c.Projection, c.LayerNorm = 2, true }, "rnn: projection 2: want 0 with layer_norm, clip, coupled or an activation"},
		{"lstm", func(c *Config) { c.Projection, c.Activation = 2, "sigmoid relu relu" }, "rnn: projection 2: want 0 with layer_norm, clip, coupled or an activation"},
		{"lstm", func(c *Config) { c.Peephole, c.LayerNorm = true, true }, "rnn: layer_norm: want none with peephole, clip, coupled or an activation"},
		{"lstm", func(c *Config) { c.Coupled, c.LayerNorm = true, true }, "rnn: layer_norm: want none with peephole, clip, coupled or an activation"},
		{"gru", func(c *Config) { c.Clip, c.LayerNorm = 1, true }, "rnn: layer_norm: want none with peephole, clip, coupled or an activation"},
		{"rnn", func(c *Config) { c.Activation, c.LayerNorm = "elu", true }, "rnn: layer_norm: want none with peephole, clip, coupled or an activation"},
		{"gru", func(c *Config) { c.Reset = "" }, `rnn: reset "": want before, after`},
		{"gru", func(c *Config) { c.Reset = "both" }, `rnn: reset "both": want before, after`},
		{"gru", func(c *Config) { c.Activation = "relu" }, `rnn: activation "relu": want 2 functions, of r and z and of n`},
	} {
		c := good(test.cell)
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
		test.change(&c)
		if err := c.Validate(); err == nil || err.Error() != test.want {
			t.Errorf("%+v: error %v, want %s", c, err, test.want)
		}
		if n, err := New(c); n != nil || err == nil || err.Error() != test.want {
			t.Errorf("New(%+v): error %v, want %s", c, err, test.want)
		}
	}
}

func TestConfigSizes(t *testing.T) {
	for _, test := range []struct {
		c                              Config
		directions, output, state, all int
	}{
		{Config{Cell: "rnn", Biases: 1}, 1, 4, 8, 4*3 + 4 + 16 + 2*16 + 4},
		{Config{Cell: "lstm", Biases: 2}, 1, 4, 16, 4 * (4*3 + 4 + 16 + 4 + 2*16 + 2*4)},
		{Config{Cell: "gru", Reset: ResetBefore, Biases: 1, Direction: Backward}, 1, 4, 8, 3 * (4*3 + 4 + 16 + 2*16 + 4)},
		{Config{Cell: "lstm", Biases: 1, Direction: Bidirectional}, 2, 8, 32, 2 * 4 * (4*3 + 4 + 16 + 4*8 + 4 + 16)},
		{Config{Cell: "lstm", Biases: 1, Direction: Bidirectional, Merge: Sum}, 2, 4, 32, 2 * 4 * (4*3 + 4 + 16 + 2*16 + 4)},
	} {
		c := test.c
		c.Input, c.Hidden, c.Layers = 3, 4, 2
		n, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(n.Directions(), n.OutputSize(), n.StateSize(), len(n.Params), n.Size())
		if want := fmt.Sprint(test.directions, test.output, test.state, test.all, test.all); got != want {
			t.Errorf("%+v: D, output, state, parameters and Size are %s, want %s", c, got, want)
		}
		if got := fmt.Sprint(c.Directions(), c.OutputSize(), c.StateSize()); got != fmt.Sprint(test.directions, test.output, test.state) {
			t.Errorf("%+v: without its defaults spelled out: %s", c, got)
		}
	}
}

// names is "name shape" of each tensor.
func names(n *Network) string {
	var out []string
	for _, t := range n.Tensors() {
		out = append(out, fmt.Sprint(t.Name, t.Shape))
	}
	return strings.Join(out, " ")
}

func TestTensorNames(t *testing.T) {
	for _, test := range []struct {
		c           Config
		want, zeros string
	}{
		{Config{Cell: "lstm", Layers: 1, Biases: 2},
			"weight_ih_l0[16 3] bias_ih_l0[16] weight_hh_l0[16 4] bias_hh_l0[16]", ""},
		{Config{Cell: "gru", Reset: ResetAfter, Layers: 2, Biases: 1},
			"weight_ih_l0[12 3] bias_ih_l0[12] weight_hh_l0[12 4] weight_ih_l1[12 4] bias_ih_l1[12] weight_hh_l1[12 4]",
			"bias_hh_l0[12] bias_hh_l1[12]"},
		{Config{Cell: "gru", Reset: ResetBefore, Layers: 1, Biases: 1},
			"reset_before.weight_ih_l0[12 3] reset_before.bias_ih_l0[12] reset_before.weight_hh_l0[12 4]", "reset_before.bias_hh_l0[12]"},
		{Config{Cell: "rnn", Layers: 1, Biases: 2, Direction: Backward},
			"weight_ih_l0_reverse[4 3] bias_ih_l0_reverse[4] weight_hh_l0_reverse[4 4] bias_hh_l0_reverse[4]", ""},
		{Config{Cell: "rnn", Activation: "relu", Layers: 2, Biases: 1, Direction: Bidirectional},
			"weight_ih_l0[4 3] bias_ih_l0[4] weight_hh_l0[4 4] weight_ih_l0_reverse[4 3] bias_ih_l0_reverse[4] weight_hh_l0_reverse[4 4] " +
				"weight_ih_l1[4 8] bias_ih_l1[4] weight_hh_l1[4 4] weight_ih_l1_reverse[4 8] bias_ih_l1_reverse[4] weight_hh_l1_reverse[4 4]",
			"bias_hh_l0[4] bias_hh_l0_reverse[4] bias_hh_l1[4] bias_hh_l1_reverse[4]"},
		{Config{Cell: "gru", Reset: ResetBefore, Layers: 1, Biases: 1, Direction: Bidirectional, Merge: Average},
			"reset_before.merge_average.weight_ih_l0[12 3] reset_before.merge_average.bias_ih_l0[12] reset_before.merge_average.weight_hh_l0[12 4] " +
				"reset_before.merge_average.weight_ih_l0_reverse[12 3] reset_before.merge_average.bias_ih_l0_reverse[12] reset_before.merge_average.weight_hh_l0_reverse[12 4]",
			"reset_before.merge_average.bias_hh_l0[12] reset_before.merge_average.bias_hh_l0_reverse[12]"},
		{Config{Cell: "lstm", Layers: 1, Biases: 1, LayerNorm: true},
			"layer_norm.weight_ih_l0[16 3] layer_norm.bias_ih_l0[16] layer_norm.weight_hh_l0[16 4] layer_norm.weight_ih_norm_l0[16] " +
				"layer_norm.weight_hh_norm_l0[16] layer_norm.weight_c_norm_l0[4] layer_norm.bias_c_norm_l0[4]", ""},
		{Config{Cell: "gru", Reset: ResetBefore, Layers: 1, Biases: 2, LayerNorm: true, Zoneout: 0.1},
			"layer_norm.reset_before.zoneout.weight_ih_l0[12 3] layer_norm.reset_before.zoneout.bias_ih_l0[12] layer_norm.reset_before.zoneout.weight_hh_l0[12 4] " +
				"layer_norm.reset_before.zoneout.bias_hh_l0[12] layer_norm.reset_before.zoneout.weight_ih_norm_l0[12] layer_norm.reset_before.zoneout.weight_hh_norm_l0[12]", ""},
		{Config{Cell: "lstm", Layers: 1, Biases: 1, ZoneoutCell: 0.1, WeightDrop: 0.5},
			"zoneout.weight_ih_l0[16 3] zoneout.bias_ih_l0[16] zoneout.weight_hh_l0[16 4]", "zoneout.bias_hh_l0[16]"},
		{Config{Cell: "lstm", Layers: 2, Biases: 1, Projection: 2}, // those of torch.nn.LSTM(3, 4, 2, proj_size=2)
			"weight_ih_l0[16 3] bias_ih_l0[16] weight_hh_l0[16 2] weight_hr_l0[2 4] weight_ih_l1[16 2] bias_ih_l1[16] weight_hh_l1[16 2] weight_hr_l1[2 4]", "bias_hh_l0[16] bias_hh_l1[16]"},
		{Config{Cell: "lstm", Layers: 1, Biases: 2, Projection: 2, Peephole: true},
			"peephole.weight_ih_l0[16 3] peephole.bias_ih_l0[16] peephole.weight_hh_l0[16 2] peephole.bias_hh_l0[16] peephole.weight_hr_l0[2 4] peephole.weight_peephole_l0[12]", ""},
		{Config{Cell: "lstm", Layers: 1, Biases: 1, Coupled: true, Peephole: true, Clip: 1, Activation: "sigmoid relu relu"},
			"peephole.coupled.clip.activation.weight_ih_l0[12 3] peephole.coupled.clip.activation.bias_ih_l0[12] peephole.coupled.clip.activation.weight_hh_l0[12 4] peephole.coupled.clip.activation.weight_peephole_l0[8]", ""},
		{Config{Cell: "gru", Reset: ResetBefore, Layers: 1, Biases: 1, Activation: "hard_sigmoid tanh"},
			"reset_before.activation.weight_ih_l0[12 3] reset_before.activation.bias_ih_l0[12] reset_before.activation.weight_hh_l0[12 4]", ""},
	} {
		test.c.Input, test.c.Hidden = 3, 4
		n, err := New(test.c)
		if err != nil {
			t.Fatal(err)
		}
		if got := names(n); got != test.want {
			t.Errorf("%+v:\n%s\nwant\n%s", test.c, got, test.want)
		}
		zeros := &Network{tensors: n.Zeros()}
		if got := names(zeros); got != test.zeros {
			t.Errorf("%+v: zeros\n%s\nwant\n%s", test.c, got, test.zeros)
		}
		planned, err := Plan(test.c)
		if err != nil || names(planned) != test.want || planned.Params != nil {
			t.Errorf("%+v: Plan gives %v %s", test.c, err, names(planned))
		}
	}
	// No two networks that compute different functions have the names and the
	// shapes of one another, but for the activation, which PyTorch's files do
	// not tell either, and what it and clipping are.
	seen := map[string]string{}
	for _, c := range allConfigs(2) {
		n, _ := New(c)
		if c.Activation == "relu" {
			continue
		}
		if other, taken := seen[names(n)]; taken {
			t.Errorf("%s and %s have the same tensors", other, c.testName())
		}
		seen[names(n)] = c.testName()
	}
	if !slices.Contains(Cells(), "gru") || !slices.IsSorted(Cells()) {
		t.Errorf("Cells() is %v", Cells())
	}
}
