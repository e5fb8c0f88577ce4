package rnn

import (
	"sluice/internal/kernel"
	"sluice/nn"
)

// weightMasks are the masks of the weight_hh that a Packed holds.
type weightMasks struct {
	dropped bool
	rows    int         // of weight_hh
	scale   float32     // of weights that are kept: 1/(1−p)
	bits    [][]uint64  // (L·D) of (rows of weight_hh, columns/64): weights that are dropped
	weights []float32   // weight_hh of one layer and direction, times its mask
	tensors [][]float32 // of that layer, weights among them
	random  []nn.Random // (parts)
	job     maskJob
}

// RepackDropped is Repack with each weight_hh times a mask of its own: a weight
// is 0 with the probability of Config.WeightDrop, else divided by what that
// leaves of 1 (DropConnect of the recurrent weights: Merity et al. 2018). There
// is one mask for all rows and steps, until Repack; the key's Seed and Step name
// it. What runs on p gives gradients of the masked weights: see MaskGradient.
func (n *Network) RepackDropped(team *nn.Team, p *Packed, key nn.Key) {
	if n.WeightDrop == 0 {
		n.Repack(team, p)
		return
	}
	n.mustHave("RepackDropped", p)
	p.table = nil
	m := &p.masks
	m.dropped, m.scale = true, 1/(1-float32(n.WeightDrop))
	m.bits = nn.Grow(m.bits, len(n.parts))
	for i, part := range n.parts {
		t := &n.tensors[part.from+n.hh]
		m.rows = t.Shape[0]
		m.weights = nn.Grow(m.weights, len(t.Data))
		key.Layer = weightLayers + uint64(i)
		m.bits[i] = nn.Grow(m.bits[i], m.rows*words(len(t.Data)/m.rows))
		m.job = maskJob{to: m.weights, from: t.Data, rows: m.rows, draws: true, rate: n.WeightDrop, key: key}
		m.run(team, i)
		m.tensors = append(m.tensors[:0], n.data[part.from:part.to]...)
		m.tensors[n.hh] = m.weights
		p.layers[i].pack(team, m.tensors, p.precision)
	}
}

// MaskGradient makes g, a flat vector of gradients of weights that RepackDropped
// has masked, those of the Network's: it multiplies those of each weight_hh by
// its mask. It is called once for a g, after all of Backward, and does nothing
// where p's weights are not masked.
func (p *Packed) MaskGradient(team *nn.Team, g []float32) {
	checkLen("MaskGradient", "g", len(g), p.params)
	m := &p.masks
	for i := 0; m.dropped && i < len(p.parts); i++ {
		for tensor := p.parts[i].from; tensor < p.parts[i].to; tensor++ {
			own := g[:p.sizes[tensor]]
			g = g[len(own):]
			if tensor == p.parts[i].from+p.hh {
				m.job = maskJob{to: own, from: own, rows: m.rows}
				m.run(team, i)
			}
		}
	}
}

// run is m's job with the masks of one layer and direction.
func (m *weightMasks) run(team *nn.Team, layer int) {
	j := &m.job
	j.parts = min(team.Threads(), j.rows)
	m.random = nn.Grow(m.random, j.parts)
	j.bits, j.scale, j.random = m.bits[layer], m.scale, m.random
	team.Do(j.parts, j)
	m.job = maskJob{}
}

// maskJob sets to to from times a mask, which it may draw: part is a span of
// the rows.
type maskJob struct {
	to, from []float32 // (rows, columns)
	bits     []uint64  // (rows, columns/64)
	rows     int
	scale    float32
	draws    bool
	rate     float64
	key      nn.Key
	random   []nn.Random // (parts)
	parts    int
}

func (j *maskJob) Run(part int) {
	from, to := kernel.Span(j.rows, part, j.parts, 1)
	cols := len(j.from) / j.rows
	for row := from; row < to; row++ {
		masks := of(j.bits, words(cols), row, 1)
		if j.draws {
			key := j.key
			key.Row = uint64(row)
			drawBits(&j.random[part], masks, cols, j.rate, key)
		}
		dst, src := of(j.to, cols, row, 1), of(j.from, cols, row, 1)
		for i, m := range masks {
			factors := [2]float32{j.scale, 0}
			at := i * kernel.Wide
			block := dst[at:min(at+kernel.Wide, cols)]
			for k, v := range src[at:][:len(block)] {
				block[k] = v * factors[m>>k&1]
			}
		}
	}
}
