package rnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sluice/internal/ref"
	"sluice/nn"
)

// regularName is what a test's name says of a Config's regularisers.
func (c Config) regularName() (name string) {
	for _, o := range []struct {
		name string
		on   bool
	}{{"locked", c.Locked}, {"zoneout", c.Zoneout > 0}, {"cell", c.ZoneoutCell > 0}, {"weights", c.WeightDrop > 0}, {"norm", c.LayerNorm}} {
		if o.on {
			name += "/" + o.name
		}
	}
	return name
}

// random says whether training has masks.
func (c Config) random() bool { return c.Dropout > 0 || c.Zoneout > 0 || c.ZoneoutCell > 0 }

// shake moves the gains of layer norm from where they start.
func (n *Network) shake(seed uint64) {
	r := rand.New(rand.NewPCG(seed, 4))
	for _, t := range n.tensors {
		for i := 0; i < len(t.Data) && strings.Contains(t.Name, "_norm_l"); i++ {
			t.Data[i] += 0.3 * float32(r.NormFloat64())
		}
	}
}

// with is c with regularisers: locked dropout, zoneout of h, and of c where
// there is one, dropped weights, layer norm, as the letters of which say.
func (c Config) with(which string) Config {
	for _, letter := range which {
		switch letter {
		case 'l':
			c.Locked = c.Dropout > 0
		case 'h':
			c.Zoneout = 0.3
		case 'c':
			if c.Cell == "lstm" {
				c.ZoneoutCell = 0.4
			}
		case 'w':
			c.WeightDrop = 0.4
		case 'n':
			c.LayerNorm = true
		}
	}
	return c
}

// regularised is each built-in cell with all regularisers that act in a run,
// without layer norm and with it.
func regularised(layers int) (all []Config) {
	for _, c := range everyConfig(layers) {
		if c.Biases == 2 && c.Direction == Forward || c.Biases == 1 && c.Merge == Multiply {
			all = append(all, c.with("lhc"), c.with("lhcn"))
		}
	}
	return all
}

// allConfigs is everyConfig, regularised and variants.
func allConfigs(layers int) []Config {
	return slices.Concat(everyConfig(layers), regularised(layers), variants(layers, kernelVariants...), variants(layers, plainVariants...))
}

// masks gives the oracle those that tr has used.
func (tr *trial) masks(oracle *ref.Net) {
	n := tr.net
	training := tr.tape.Dropout != nil
	for l := 0; l < n.Layers-1 && training && n.Dropout > 0; l++ {
		oracle.Masks = append(oracle.Masks, wide(tr.tape.layers[l].mask.Values))
	}
	for _, lt := range tr.tape.layers {
		for _, w := range lt.ways {
			var z *zones
			switch w := w.(type) {
			case *fusedWay:
				z = &w.zones
			case *customWay:
				z = &w.zones
			}
			oracle.ZoneH = append(oracle.ZoneH, z[0].shares(tr.x.T*tr.x.B))
			oracle.ZoneC = append(oracle.ZoneC, z[1].shares(tr.x.T*tr.x.B))
		}
	}
	h := n.HSize()
	for part := 0; part < len(n.parts) && n.WeightDrop > 0; part++ {
		m := make([]float64, len(n.layout().Gates)*n.Hidden*h)
		for i := range m {
			if row, col := i/h, i%h; tr.p.masks.bits[part][row*words(h)+col/64]>>(col%64)&1 == 0 {
				m[i] = 1 / (1 - n.WeightDrop)
			}
		}
		oracle.WeightMasks = append(oracle.WeightMasks, m)
	}
}

// shares is how much of the old state rows keep, nil without zoneout.
func (z *zone) shares(rows int) (all []float64) {
	for i := 0; i < rows*z.hidden && z.rate > 0; i++ {
		share := float64(z.rate)
		if z.masked {
			share = float64(z.mask(i/z.hidden, i%z.hidden/64) >> (i % z.hidden % 64) & 1)
		}
		all = append(all, share)
	}
	return all
}

// Each regulariser alone, and all together, gives what the reference gives with
// the same masks, and its gradients; so does the expectation.
func TestRegularisersAgainstReference(t *testing.T) {
	seen, seed := worst{}, uint64(0)
	for _, which := range []string{"l", "h", "c", "w", "n", "lhcw", "lhcwn"} {
		for i, c := range everyConfig(1 + len(which)%2) {
			if which == "l" {
				c = everyConfig(3)[i]
			}
			if c = c.with(which); c.regularName() == "" {
				continue
			}
			for _, h := range []int{7, 70} {
				if h > 7 && (c.Biases == 1 || c.Direction == Backward || c.Merge != "" && c.Merge != Multiply || len(which) == 1) {
					continue
				}
				seed++
				c.Hidden = h
				ragged, ids := seed%2 == 0, seed%4 > 1
				tr := newTrial(t, c, 5, 4, ragged, ids, seed)
				name := fmt.Sprintf("%s/H=%d/ragged=%v/ids=%v", c.testName(), h, ragged, ids)
				tr.run(2)
				compare(t, name, seen, tr)
				tr.tape.Dropout = nil
				tr.run(3)
				compare(t, name+"/evaluation", seen, tr)
			}
		}
	}
	seen.log(t)
}

// A mask of n bits has a share p of ones, begins with those of fewer, and has no
// ones beyond.
func TestDrawBits(t *testing.T) {
	var random nn.Random
	for _, p := range []float64{0, 1e-6, 0.05, 0.25, 0.3, 0.5, 0.9, 1 - 1e-7} {
		ones, n := 0, 64*400
		long := make([]uint64, n/64)
		for row := range uint64(10) {
			drawBits(&random, long, n, p, nn.Key{Seed: 1, Row: row})
			for i := range n {
				ones += int(long[i/64] >> (i % 64) & 1)
			}
		}
		draws := float64(10 * n)
		if share, spread := float64(ones)/draws, math.Sqrt(p*(1-p)/draws); math.Abs(share-p) > 4*spread+1e-9 {
			t.Errorf("p = %v: a share of %v, want within %v", p, share, 4*spread)
		}
		for _, n := range []int{1, 7, 63, 64, 65, 200} {
			bits := []uint64{7, 7, 7, 7}[:words(n)]
			drawBits(&random, bits, n, p, nn.Key{Seed: 1, Row: 9})
			for i := range len(bits) * 64 {
				want := long[i/64] >> (i % 64) & 1
				if i >= n {
					want = 0
				}
				if bits[i/64]>>(i%64)&1 != want {
					t.Fatalf("p = %v, bit %d of %d is not %d", p, i, n, want)
				}
			}
		}
	}
}

// No two masks of an update are of one stream: those of layers, directions,
// vectors, rows and steps differ, and those of locked dropout are the same at
// each step.
func TestMasksDiffer(t *testing.T) {
	const T, B, H = 5, 4, 64
	c := Config{Cell: "lstm", Input: 3, Hidden: H, Layers: 3, Biases: 1, Direction: Bidirectional, Dropout: 0.5, Locked: true, Zoneout: 0.5, ZoneoutCell: 0.5, WeightDrop: 0.5}
	tr := newTrial(t, c, T, B, false, false, 6)
	tr.run(2)
	seen := map[uint64]bool{}
	count := 0
	see := func(bits ...uint64) {
		for _, b := range bits {
			seen[b] = true
			count++
		}
	}
	for l, lt := range tr.tape.layers {
		for i := range lt.ways {
			w := lt.ways[i].(*fusedWay)
			see(w.zones[0].masks[:T*B]...)
			see(w.zones[1].masks[:T*B]...)
			see(tr.p.masks.bits[l*2+i]...)
		}
		if want := []int{B * 2 * H, B * 2 * H, 0}[l]; len(lt.mask.Values) != want {
			t.Fatalf("layer %d: a mask of %d values, want %d", l, len(lt.mask.Values), want)
		}
		for at := 0; at < len(lt.mask.Values); at += H {
			var bits uint64
			for j, m := range lt.mask.Values[at : at+H] {
				if m != 0 {
					bits |= 1 << j
				}
			}
			if at%(2*H) == 0 {
				see(bits)
			}
		}
		for i := 0; i < len(lt.out) && len(lt.mask.Values) > 0; i++ {
			if dropped := lt.mask.Values[i%len(lt.mask.Values)] == 0; dropped != (lt.out[i] == 0) {
				t.Fatalf("layer %d: output %d is %v under a mask of %v", l, i, lt.out[i], lt.mask.Values[i%len(lt.mask.Values)])
			}
		}
	}
	if len(seen) != count {
		t.Errorf("%d masks among %d rows", len(seen), count)
	}
}

// Masks do not know the other rows of a batch.
func TestMasksDoNotSeeTheBatch(t *testing.T) {
	const T, B = 5, 6
	for _, c := range regularised(2) {
		tr := newTrial(t, c, T, B, false, false, 4)
		run, w := NewRunner(tr.net.Pack(), team(t, 2)), c.OutputSize()
		all := make([]float32, T*B*w)
		run.Forward(all, tr.x, nil, &Tape{Dropout: &tr.key})
		for rows := 1; rows < B; rows++ {
			some := []int{0, 1, 2, 3, 4}[:rows]
			y := make([]float32, T*rows*w)
			run.Forward(y, tr.x.pick(some, 0, T), nil, &Tape{Dropout: &tr.key})
			sameBits(t, c.testName(), y, pickRows(all, B, w, some))
		}
		plain := make([]float32, len(all))
		run.Forward(plain, tr.x, nil, nil)
		if slices.Equal(plain, all) {
			t.Errorf("%s: training gives what evaluation gives", c.testName())
		}
		off := make([]float32, len(all))
		run.Forward(off, tr.x, nil, new(Tape))
		sameBits(t, c.testName()+": without masks", off, plain)
	}
}

// RepackDropped gives the same weights to any team and again, others with
// another key; Repack gives all of them back, and then MaskGradient does nothing.
func TestRepackDropped(t *testing.T) {
	for _, c := range regularised(2) {
		c = c.with("w")
		tr := newTrial(t, c, 3, 2, false, false, 4)
		p := tr.net.Pack()
		run := NewRunner(p, team(t, 1))
		forward := func() []float32 {
			y := make([]float32, len(tr.dy))
			run.Forward(y, tr.x, nil, nil)
			return y
		}
		whole := forward()
		tr.net.RepackDropped(nil, p, tr.key)
		dropped, g := forward(), slices.Clone(tr.net.Params)
		p.MaskGradient(nil, g)
		for _, threads := range []int{2, 3, 8} {
			team, again := team(t, threads), slices.Clone(tr.net.Params)
			tr.net.RepackDropped(team, p, nn.Key{Seed: tr.key.Seed, Step: tr.key.Step + 1})
			if slices.Equal(forward(), dropped) || slices.Equal(dropped, whole) {
				t.Errorf("%s: nothing is dropped, or the same with another key", c.testName())
			}
			tr.net.RepackDropped(team, p, tr.key)
			sameBits(t, c.testName(), forward(), dropped)
			p.MaskGradient(team, again)
			sameBits(t, c.testName()+": gradient", again, g)
		}
		zeros, all := 0, 0
		for i, tensor := range tr.net.Tensors() {
			own := g[:len(tensor.Data)]
			g = g[len(own):]
			if !strings.Contains(tensor.Name, "weight_hh_l") {
				sameBits(t, tensor.Name, own, tensor.Data)
				continue
			}
			for j, v := range own {
				all++
				switch want := tensor.Data[j] / (1 - 0.4); {
				case v == 0:
					zeros++
				case math.Abs(float64(v-want)) > 1e-6:
					t.Fatalf("tensor %d: %v becomes %v, want %v", i, tensor.Data[j], v, want)
				}
			}
		}
		if share := float64(zeros) / float64(all); math.Abs(share-0.4) > 4*math.Sqrt(0.24/float64(all)) {
			t.Errorf("%s: a share of %v is dropped", c.testName(), share)
		}
		tr.net.Repack(nil, p)
		sameBits(t, c.testName()+": Repack", forward(), whole)
		g = slices.Clone(tr.net.Params)
		p.MaskGradient(nil, g)
		sameBits(t, c.testName()+": no mask", g, tr.net.Params)
	}
	c := everyConfig(1)[0]
	n, _ := New(c)
	p := n.Pack()
	n.RepackDropped(nil, p, nn.Key{}) // is Repack without WeightDrop
	p.MaskGradient(nil, make([]float32, len(n.Params)))
	other, _ := New(c.with("w"))
	panics(t, "rnn: RepackDropped: the Packed is of another network", func() { other.RepackDropped(nil, p, nn.Key{}) })
	panics(t, "rnn: MaskGradient: g has 1 values, want "+fmt.Sprint(len(n.Params)), func() { p.MaskGradient(nil, make([]float32, 1)) })
}
