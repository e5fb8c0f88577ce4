package convert

// direct writes a forecast by segments, from the history as it was measured: scaled
// in float64, as here.
func (g *graph) direct() {
	m, f := g.m, g.m.Forecast
	c, n, segments := len(m.Names.Series.Names), f.Window/f.Segment, f.Horizon/f.Segment
	outputs, half := 1+len(f.Quantiles), m.Embed/2
	scaler := m.Names.Series.Scaler
	mean, std := g.doubles("scaler.mean", []int{c}, scaler.Mean), g.doubles("scaler.std", []int{c}, scaler.Std)

	g.input("history", doubleType, "B", f.Window, c)
	x := g.op("Cast", g.op("Div", g.op("Sub", "history", mean), std), attrs{"to": int(floatType)})
	last := g.op("Slice", x, g.ints("", f.Window-1), g.ints("", f.Window), g.ints("", 1)) // (B, 1, C)
	x = g.op("Sub", x, last)
	x = g.op("Reshape", g.op("Transpose", x, attrs{"perm": []int{0, 2, 1}}), g.ints("", -1, n, f.Segment)) // (B·C, n, w)
	x = g.op("Transpose", x, attrs{"perm": []int{1, 0, 2}})
	_, h, _ := g.layer("rnn.", m.Stack(), 0, g.op("Relu", g.linear(x, "input.weight", "input.bias")), "", "", "")

	// Each row's state is where its segments, side by side, start: (1, B·C·m, H).
	h = g.op("Expand", g.op("Reshape", h, g.ints("", -1, 1, m.RNN.Hidden)), g.ints("", 1, segments, 1))
	h = g.op("Reshape", h, g.ints("", 1, -1, m.RNN.Hidden))
	where := g.op("Expand", g.op("Unsqueeze", g.tensor("decoder.positions"), g.ints("", 0)), g.ints("", c, 1, 1))
	which := g.op("Expand", g.op("Unsqueeze", g.tensor("decoder.series"), g.ints("", 1)), g.ints("", 1, segments, 1))
	x = g.op("Concat", where, which, attrs{"axis": -1}) // (C, m, E)
	rows := g.op("Slice", g.op("Shape", "history"), g.ints("", 0), g.ints("", 1), g.ints("", 0))
	x = g.op("Expand", g.op("Unsqueeze", x, g.ints("", 0)), g.op("Concat", rows, g.ints("", 1, 1, 1), attrs{"axis": 0}))
	x = g.op("Reshape", x, g.ints("", 1, -1, 2*half))
	_, h, _ = g.layer("rnn.", m.Stack(), 0, x, "", h, "")

	y := g.linear(g.op("Reshape", h, g.ints("", -1, m.RNN.Hidden)), "head.weight", "head.bias")
	y = g.op("Reshape", y, g.ints("", -1, c, segments, outputs, f.Segment))
	y = g.op("Transpose", y, attrs{"perm": []int{3, 0, 2, 4, 1}})
	y = g.op("Add", g.op("Reshape", y, g.ints("", outputs, -1, f.Horizon, c)), last)
	y = g.op("Add", g.op("Mul", g.op("Cast", y, attrs{"to": int(doubleType)}), std), mean)
	part := func(from, to int) string { return g.op("Slice", y, g.ints("", from), g.ints("", to), g.ints("", 0)) }
	g.output("mean", g.op("Squeeze", part(0, 1), g.ints("", 0)), doubleType, "B", f.Horizon, c)
	if q := len(f.Quantiles); q > 0 {
		rising, _ := g.op2("TopK", part(1, outputs), g.ints("", q), attrs{"axis": 0, "largest": 0})
		g.output("quantiles", rising, doubleType, q, "B", f.Horizon, c)
	}
}
