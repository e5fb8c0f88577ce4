package convert

import "fmt"

// forecast is the body of a forecast, directly by segments or recursively.
func (p *python) forecast() (args, doc string) {
	m, f := p.m, p.m.Forecast
	c := len(m.Names.Series.Names)
	p.init = nil // of input
	p.body = nil
	scaler := m.Names.Series.Scaler
	p.add(`self.register_buffer("mean", torch.tensor(%s, dtype=torch.float64), persistent=False)`, listed(scaler.Mean))
	p.add(`self.register_buffer("std", torch.tensor(%s, dtype=torch.float64), persistent=False)`, listed(scaler.Std))
	p.do("x = ((history[:, -%d:].double() - self.mean) / self.std).to(self.head.weight.dtype)", f.Window)
	p.do("last = x[:, -1:]")
	p.do("x = x - last  # (B, %d, %d)", f.Window, c)
	doc = fmt.Sprintf("history (B, N, %d), N at least %d -> what follows (B, %d, %d), in its units", c, f.Window, f.Horizon, c)
	if f.Segment > 0 {
		return p.direct(c, doc)
	}
	if m.Embed > 0 {
		p.add("self.input = nn.Linear(%d, %d)", c, m.Embed)
	}
	p.add("self.rnn = %s", module(m.RNN))
	p.add("self.head = nn.Linear(%d, %d)", m.RNN.OutputSize(), c)
	p.do("state, said, x = None, [], x.transpose(0, 1)")
	p.do("for _ in range(%d):", f.Horizon)
	read := "x"
	if m.Embed > 0 {
		read = "torch.relu(self.input(x))"
	}
	p.do("    y, state = self.rnn(%s, state)", read)
	p.do("    x = x[-1:] + self.head(y[-1:])")
	p.do("    said.append(x)")
	p.do("return (torch.cat(said).transpose(0, 1) + last).double() * self.std + self.mean")
	return "history", doc
}

// direct is the body of a forecast by segments.
func (p *python) direct(c int, doc string) (args, more string) {
	m, f := p.m, p.m.Forecast
	w, n, segments := f.Segment, f.Window/f.Segment, f.Horizon/f.Segment
	outputs := 1 + len(f.Quantiles)
	p.add("self.input = nn.Linear(%d, %d)", w, m.Embed)
	p.add("self.rnn = %s", module(m.RNN))
	p.add(`self.decoder = nn.ParameterDict({"positions": torch.empty(%d, %d), "series": torch.empty(%d, %d)})`, segments, m.Embed/2, c, m.Embed/2)
	p.add("self.head = nn.Linear(%d, %d)", m.RNN.OutputSize(), w*outputs)
	p.do("b = len(x)")
	p.do("x = x.transpose(1, 2).reshape(b * %d, %d, %d).transpose(0, 1)  # segments of each series", c, n, w)
	p.do("_, h = self.rnn(torch.relu(self.input(x)))")
	p.do(`where = self.decoder["positions"].expand(b * %d, %d, %d)`, c, segments, m.Embed/2)
	p.do(`which = self.decoder["series"][:, None].expand(b, %d, %d, %d).reshape(where.shape)`, c, segments, m.Embed/2)
	p.do("y, _ = self.rnn(torch.cat([where, which], -1).reshape(1, -1, %d), h.repeat_interleave(%d, 1))", m.Embed, segments)
	p.do("said = self.head(y[0]).view(b, %d, %d, %d, %d).permute(3, 0, 2, 4, 1).reshape(%d, b, %d, %d)", c, segments, outputs, w, outputs, f.Horizon, c)
	p.do("said = (said + last).double() * self.std + self.mean")
	if outputs == 1 {
		p.do("return said[0]")
		return "history", doc
	}
	p.do("return said[0], said[1:].sort(0).values  # the quantiles in order")
	return "history", doc + fmt.Sprintf(", and their quantiles %s", listed(f.Quantiles))
}
