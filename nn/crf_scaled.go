package nn

import "math"

// The recursions over a sequence run on probabilities, scaled at each step as
// Rabiner 1989 has it: a step costs K exponentials and products of K×K. Beside
// zeros that stand for what is ruled out they give nothing up only while no factor
// and no probability comes near to what a float64 cannot hold; a product of a few
// of these cannot underflow. A sequence for which that fails is done again with
// logarithms.
const (
	leastFactor = 1e-50  // of an exponentiated emission or parameter
	least       = 1e-150 // of a probability that is not zero
)

// crfParts is how many parts at most the sequences are shared out to: part p has
// every crfParts-th of them, however many threads there are, since their gradients
// are added up part by part.
const crfParts = 16

// crfJob is a call over all sequences.
type crfJob struct {
	k, T, B   int
	lengths   []int
	emissions Matrix  // (T·B, K)
	tags      []int32 // (T·B)
	factor    float64
	loss      bool // of the tags
	posterior bool // emissions become the gradient, or without a loss the marginals
	decode    bool // set the tags
	nats      []float64
	weights   crfWeights
	parts     []crfPart
}

// crfPart is of one sequence at a time, but for the gradient.
type crfPart struct {
	row          []float32 // (K)
	emit         []float64 // (T, wide) exp(emission − the step's largest), and on the way back times beta / scale
	alpha        []float64 // (T, wide) the probability of a tag given what is up to it; of logarithms, unscaled; of Decode, the highest score
	gamma        []float64 // (T, wide) that of a tag given all
	scale        []float64 // (T + 1) what alpha was divided by, and the end's
	beta         []float64 // (wide)
	ahead, paths []float64 // (K)
	pairs        []float64 // (K, wide)
	dTransitions []float64 // (K, K) of all sequences of the part
	dStart, dEnd []float64 // (K)
}

// reserve makes room for what the job needs.
func (j *crfJob) reserve() {
	n := min(j.B, crfParts)
	if cap(j.parts) < n {
		j.parts = append(j.parts[:cap(j.parts)], make([]crfPart, n-cap(j.parts))...)
	}
	j.parts = j.parts[:n]
	wide := padded(j.k)
	for i := range j.parts {
		p := &j.parts[i]
		p.row, p.alpha, p.emit = Grow(p.row, j.k), Grow(p.alpha, j.T*wide), Grow(p.emit, j.T*wide)
		p.scale, p.beta = Grow(p.scale, j.T+1), Grow(p.beta, wide)
		p.ahead, p.paths = Grow(p.ahead, j.k), Grow(p.paths, j.k)
		if j.posterior {
			p.gamma, p.pairs = Grow(p.gamma, j.T*wide), Grow(p.pairs, j.k*wide)
			p.dTransitions, p.dStart, p.dEnd = Grow(p.dTransitions, j.k*j.k), Grow(p.dStart, j.k), Grow(p.dEnd, j.k)
		}
	}
}

func (j *crfJob) Run(part int) {
	p := &j.parts[part]
	if j.posterior {
		clear(p.dTransitions)
		clear(p.dStart)
		clear(p.dEnd)
	}
	for b := part; b < j.B; b += len(j.parts) {
		if n := lengthOf(b, j.T, j.lengths); j.decode {
			j.best(p, b, n)
		} else {
			j.sequence(p, b, n)
		}
	}
}

// at is step t of x (T, wide).
func (j *crfJob) at(x []float64, t int) []float64 {
	wide := padded(j.k)
	return x[t*wide : (t+1)*wide : (t+1)*wide]
}

// sequence is sequence b of n steps.
func (j *crfJob) sequence(p *crfPart, b, n int) {
	logZ, scaled := 0.0, true
	if n > 0 {
		if logZ, scaled = j.forward(p, b, n); !scaled {
			logZ = j.logForward(p, b, n)
		}
	}
	if j.loss {
		if j.nats[b] = j.lossOf(logZ, b, n); math.IsInf(j.nats[b], 1) {
			n = 0 // no gradient
		}
	}
	if !j.posterior {
		return
	}
	if n > 0 && scaled {
		if scaled = j.backward(p, n); scaled {
			j.countPairs(p, n)
		} else {
			logZ = j.logForward(p, b, n)
		}
	}
	if n > 0 && !scaled {
		j.logBackward(p, logZ, n)
	}
	j.set(p, b, n)
}

// lossOf is −ln p of the tags of sequence b.
func (j *crfJob) lossOf(logZ float64, b, n int) float64 {
	if n == 0 {
		return 0
	}
	w := &j.weights
	last := int(j.tags[b])
	score := w.start[last]
	for t := range n {
		k := int(j.tags[t*j.B+b])
		if t > 0 {
			score += w.moves[last*j.k+k]
		}
		score += float64(j.emissions.At(t*j.B+b, k)[0])
		last = k
	}
	score += w.end[last]
	if math.IsInf(score, -1) && !math.IsNaN(logZ) {
		return math.Inf(1)
	}
	return max(0, logZ-score)
}

// forward sets alpha and scale, and returns the log of the summed exponential
// scores of all tags; or fails.
func (j *crfJob) forward(p *crfPart, b, n int) (logZ float64, good bool) {
	w := &j.weights
	if !w.scaled {
		return 0, false
	}
	logZ = w.topEnds + float64(n-1)*w.topMove
	for t := range n {
		e, a := j.at(p.emit, t), j.at(p.alpha, t)
		j.emissions.GetRow(p.row, t*j.B+b)
		top := p.row[0]
		for _, x := range p.row {
			top = max(top, x)
		}
		for k, x := range p.row {
			e[k] = math.Exp(float64(x) - float64(top))
			if !(e[k] >= leastFactor) {
				return 0, false
			}
		}
		if t == 0 {
			copy(a, w.expStart)
		} else {
			times(a, j.at(p.alpha, t-1)[:j.k], w.expMoves)
		}
		sum := 0.0
		a = a[:j.k]
		for k := range a {
			a[k] *= e[k]
			sum += a[k]
		}
		p.scale[t] = sum
		logZ += float64(top) + math.Log(sum)
		by := 1 / sum
		for k, x := range a {
			if x != 0 {
				if a[k] = x * by; !(a[k] >= least) {
					return 0, false
				}
			}
		}
	}
	sum := 0.0
	for k, a := range j.at(p.alpha, n-1)[:j.k] {
		sum += a * w.expEnd[k]
	}
	p.scale[n] = sum
	return logZ + math.Log(sum), sum > 0
}

// backward sets gamma, and emit to what countPairs needs; or fails. What cannot be
// reached stays out: then beta, where it counts, is at most 1/alpha.
func (j *crfJob) backward(p *crfPart, n int) (good bool) {
	w := &j.weights
	for k, x := range w.expEnd {
		p.beta[k] = x / p.scale[n]
	}
	for t := n - 1; ; t-- {
		v, g, by := j.at(p.emit, t), j.at(p.gamma, t), 1/p.scale[t]
		for k, a := range j.at(p.alpha, t)[:j.k] {
			x := p.beta[k]
			if a == 0 {
				x = 0
			}
			if x != 0 && !(x >= least) {
				return false
			}
			g[k] = a * x
			v[k] *= x * by
		}
		if t == 0 {
			return true
		}
		times(p.beta, v[:j.k], w.expMovesT)
	}
}

// countPairs adds the expected number of each transition to the part's gradient.
func (j *crfJob) countPairs(p *crfPart, n int) {
	if n < 2 {
		return
	}
	wide := padded(j.k)
	clear(p.pairs)
	for t := 1; t < n; t++ {
		v := j.at(p.emit, t)
		for i, a := range j.at(p.alpha, t-1)[:j.k] {
			addTimes(p.pairs[i*wide:(i+1)*wide], v, a)
		}
	}
	for i := range j.k {
		d := p.dTransitions[i*j.k : (i+1)*j.k]
		for k := range d {
			d[k] += p.pairs[i*wide+k] * j.weights.expMoves[i*wide+k]
		}
	}
}

// set writes the emissions of sequence b, whose gamma is set for n steps, and
// adds gamma to the part's gradient. Its own tags are what is taken off.
func (j *crfJob) set(p *crfPart, b, n int) {
	for t := range n {
		g := j.at(p.gamma, t)[:j.k]
		if j.loss {
			k := int(j.tags[t*j.B+b])
			g[k]--
			if t > 0 {
				p.dTransitions[int(j.tags[(t-1)*j.B+b])*j.k+k]--
			}
		}
		for k, x := range g {
			p.row[k] = float32(x * j.factor)
		}
		j.emissions.SetRow(t*j.B+b, p.row)
	}
	for t := n; t < j.T; t++ {
		j.emissions.ClearRow(t*j.B+b, j.k)
	}
	if n > 0 {
		for k := range j.k { // each sequence has one start and one end
			p.dStart[k] += j.at(p.gamma, 0)[k]
			p.dEnd[k] += j.at(p.gamma, n-1)[k]
		}
	}
}

// addTo adds the gradient of all parts, in their order, times factor.
func (j *crfJob) addTo(d CRFParams, factor float64) {
	for i := range j.k * j.k {
		sum := 0.0
		for p := range j.parts {
			sum += j.parts[p].dTransitions[i]
		}
		d.Transitions[i] += float32(sum * factor)
	}
	for k := range j.k {
		start, end := 0.0, 0.0
		for p := range j.parts {
			start += j.parts[p].dStart[k]
			end += j.parts[p].dEnd[k]
		}
		d.Start[k] += float32(start * factor)
		d.End[k] += float32(end * factor)
	}
}

// times sets y (wide) to x (K) times m (K, wide).
func times(y, x, m []float64) {
	wide := len(y)
	for j := 0; j < wide; j += 4 {
		var s0, s1, s2, s3 float64
		at := j
		for _, v := range x {
			r := m[at : at+4 : at+4]
			s0 += v * r[0]
			s1 += v * r[1]
			s2 += v * r[2]
			s3 += v * r[3]
			at += wide
		}
		y[j], y[j+1], y[j+2], y[j+3] = s0, s1, s2, s3
	}
}

// addTimes adds a times x to y, both of a multiple of four.
func addTimes(y, x []float64, a float64) {
	x = x[:len(y)]
	for k := 0; k+4 <= len(y); k += 4 {
		r, s := y[k:k+4:k+4], x[k:k+4:k+4]
		r[0] += a * s[0]
		r[1] += a * s[1]
		r[2] += a * s[2]
		r[3] += a * s[3]
	}
}
