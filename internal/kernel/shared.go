package kernel

// mulJob is a product in parts: of the rows where there are many, or too few
// panels for all threads, else of the panels.
type mulJob struct {
	p      Panels
	bias   []float32
	y, x   Matrix
	rows   int
	byRows bool
	parts  int
}

func (j *mulJob) Run(part int) {
	y, x, rows, from, to := j.y, j.x, j.rows, 0, j.p.Len()
	if j.byRows {
		first, last := Span(rows, part, j.parts, 1)
		y, x, rows = y.From(first), x.From(first), last-first
	} else {
		from, to = Span(to, part, j.parts, 1)
	}
	for i := from; i < to && j.bias != nil; i++ {
		FillRows(y.Columns(i*Wide).Data, j.bias[i*Wide:], rows)
	}
	j.p.MulAddPanels(y, x, rows, from, to)
}

func (t *Team) multiply(p Panels, bias []float32, y, x Matrix, rows int) {
	if rows == 0 {
		return
	}
	byRows := rows >= 2*maxTile*t.threads || p.Len() < min(rows, t.threads)
	t.mul = mulJob{p, bias, y, x, rows, byRows, t.threads}
	t.Do(t.threads, &t.mul)
	t.mul = mulJob{}
}

// MulAdd is Panels.MulAdd with the work shared.
func (t *Team) MulAdd(p Panels, y, x Matrix, rows int) { t.multiply(p, nil, y, x, rows) }

// Linear sets y, in blocks, to bias + x·W. bias has 64 floats for each panel of
// a plain matrix.
func (t *Team) Linear(p Panels, bias []float32, y, x Matrix, rows int) {
	t.multiply(p, bias, y, x, rows)
}

// outerJob is the gradient of a plain matrix and its bias, by a span of
// outputs: dw (m, n), its rows ld apart, += dyᵀ·x, and db (m) += the sum of dy's
// rows. Either may be nil.
type outerJob struct {
	dw, db []float32
	m, n   int
	dy, x  Matrix
	rows   int
	mixed  bool // x is what RoundRows has made
	parts  int
}

// long is how many rows of a product of gradients, at most, pass at once: what
// of x stays in L2 while all columns of dy pass.
const long = 256

func (j *outerJob) Run(part int) {
	align := Wide
	if j.dy.tight {
		align = Lane
	}
	from, to := Span(j.m, part, j.parts, align)
	for r := 0; r < j.rows; r += long {
		rows := min(long, j.rows-r)
		for i := from; i < to; {
			n := min(to, i/j.dy.Width*j.dy.Width+j.dy.Width) - i
			dy := j.dy.From(r)
			dy.Data = dy.Data[i/j.dy.Width*j.dy.Block+i%j.dy.Width:]
			if j.dw != nil {
				j.add(i, n, dy, r, rows)
			}
			if j.db != nil {
				sumColumns(j.db[i:i+n], dy, rows)
			}
			i += n
		}
	}
}

var roundedBlock = newSpare(func() *Matrix { return new(Matrix) })

// add adds the product of n columns of dy with rows of x from r on to the
// outputs from i on.
func (j *outerJob) add(i, n int, dy Matrix, r, rows int) {
	if !j.mixed {
		AddOuter(j.dw[i*j.n:], j.n, n, j.n, dy, j.x.From(r), rows)
		return
	}
	scratch := roundedBlock.Get()
	*scratch = scratch.GrowRounded(long, Wide)
	RoundRows(*scratch, dy, n, rows)
	AddOuter(j.dw[i*j.n:], j.n, n, j.n, *scratch, j.x.From(r), rows)
	roundedBlock.Put(scratch)
}

// AddOuter adds dyᵀ·x to dw (m, n) and the sum of dy's rows to db (m). Either
// may be nil.
func (t *Team) AddOuter(dw, db []float32, m, n int, dy, x Matrix, rows int) {
	t.AddOuterAs(Float32, dw, db, m, n, dy, x, rows)
}

// AddOuterAs is AddOuter with a precision, Float32 or Mixed. With the latter
// dy is in blocks.
func (t *Team) AddOuterAs(as Precision, dw, db []float32, m, n int, dy, x Matrix, rows int) {
	if rows == 0 {
		return
	}
	if dw != nil && x.tight { // its rows do not end with a lane
		t.x = t.x.Grow(rows, n)
		t.ToBlocks(t.x, x, n, rows)
		x = t.x
	}
	if dw != nil && as == Mixed {
		t.rounded = t.rounded.GrowRounded(rows, n)
		t.RoundRows(t.rounded, x, n, rows)
		x = t.rounded
	}
	t.outer = outerJob{dw, db, m, n, dy, x, rows, as == Mixed, t.threads}
	t.Do(t.threads, &t.outer)
	t.outer = outerJob{}
}

// sumColumns adds the rows of x to sum.
func sumColumns(sum []float32, x Matrix, rows int) {
	if x.tight {
		for i := range rows {
			for j, v := range x.Data[i*x.Row:][:len(sum)] {
				sum[j] += v
			}
		}
		return
	}
	var wide [Wide]float32
	copy(wide[:], sum)
	SumRows(wide[:], x.Data, rows)
	copy(sum, wide[:])
}

// rowsJob makes the rows of one matrix of those of another: part is a span of
// them, an even number but for the last.
type rowsJob struct {
	do         func(to, from Matrix, cols, rows int)
	to, from   Matrix
	cols, rows int
	parts      int
}

func (j *rowsJob) Run(part int) {
	if from, to := Span(j.rows, part, j.parts, 2); from < to {
		j.do(j.to.From(from), j.from.From(from), j.cols, to-from)
	}
}

func (t *Team) rows(do func(to, from Matrix, cols, rows int), to, from Matrix, cols, rows int) {
	t.making = rowsJob{do, to, from, cols, rows, t.threads}
	t.Do(t.threads, &t.making)
	t.making = rowsJob{}
}

// ToBlocks sets the rows of to, in blocks, to those of a row-major matrix.
func (t *Team) ToBlocks(to, from Matrix, cols, rows int) { t.rows(toBlocks, to, from, cols, rows) }

func toBlocks(to, from Matrix, cols, rows int) {
	for i := range rows {
		to.SetRow(i, from.Data[i*from.Row:][:cols])
	}
}
