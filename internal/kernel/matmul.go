package kernel

// MulAdd adds x·W to y for rows of x with p.K columns. The outputs of panel i
// are the columns of block i of y; the columns of a last lane beyond p.N are
// left alone where y is row-major, else set to what they were plus zero.
func (p Panels) MulAdd(y, x Matrix, rows int) { p.MulAddPanels(y, x, rows, 0, p.Len()) }

// deep is how many rows of a panel, at most, pass at once where there are
// enough rows of x for the panel to be read again, and high how many rows of x
// do: what stays in L2 while all panels pass.
const (
	deep = 1024
	high = 96
)

// enough is how many terms of its sums, at most, one call of assembly adds, over
// all its tiles or panels: it has up to 24 vectors of sums, or reads up to 256
// bytes a term, and takes some 30 microseconds, in which nothing can interrupt
// it. The sums go on in c.
const enough = 1 << 12

// MulAddPanels is MulAdd of the panels [from, to).
func (p Panels) MulAddPanels(y, x Matrix, rows, from, to int) {
	if rows == 0 || p.K == 0 || from >= to {
		return
	}
	if p.low != nil {
		p.mulAddLow(y, x, rows, from, to)
		return
	}
	if p.mixed {
		p.mulAddMixed(y, x, rows, from, to)
		return
	}
	if rows == 1 && !y.tight {
		p.vector(y, x, from, to)
		return
	}
	for ; rows > high; rows -= high {
		p.multiply(y, x, high, from, to)
		y, x = y.From(high), x.From(high)
	}
	p.multiply(y, x, rows, from, to)
}

// columns is how many of y's panel i sets: whole lanes, but where y's rows end
// with their columns.
func (p *Panels) columns(i int, y Matrix) int {
	if y.tight {
		return min(p.width, p.N-i*p.width)
	}
	return p.lanesOf(i)
}

// multiply is MulAddPanels of not too many rows.
func (p *Panels) multiply(y, x Matrix, rows, from, to int) {
	a := x.strides()
	depth := x.whole(enough)
	if rows > 2*maxTile {
		depth = x.whole(deep)
	}
	for k := 0; k < p.K; k += depth { // outermost: what of x all panels pass stays in L2
		for i := from; i < to; i++ {
			panel, width := p.panel(i)
			cols := p.columns(i, y)
			product(y.Data[i*y.Block:], y.Row, x.Data[k/x.Width*x.Block:], a, panel[k*width:], width, cols, min(depth, p.K-k), rows)
		}
	}
}

// AddOuter adds dyᵀ·x to dw, whose m rows of n floats are ld apart: dy holds m
// columns, rows of x n columns. dy's columns must lie in one block. Of a product
// of bf16 both are what RoundRows has made.
func AddOuter(dw []float32, ld, m, n int, dy, x Matrix, rows int) {
	if rows == 0 || m == 0 {
		return
	}
	if dy.pairs {
		rows = (rows + 1) / 2
	}
	a := strided{1, dy.Row, rows, 0, dy.pairs}
	for j := 0; j < n; j += x.Width {
		product(dw[j:], ld, dy.Data, a, x.Data[j/x.Width*x.Block:], x.Row, min(x.Width, n-j), rows, m)
	}
}

// strided says where the elements of a product's left factor lie: (i, k) at
// i·row + k·step + k/width·jump. Elements may be pairs: then those of the other
// factor are too.
type strided struct {
	row, step, width, jump int
	pairs                  bool
}

// strides are those of m as a left factor.
func (m Matrix) strides() strided {
	return strided{row: m.Row, step: 1, width: m.Width, jump: m.Block - m.Width}
}

// at is where element (i, k) is.
func (a strided) at(i, k int) int { return i*a.row + k*a.step + k/a.width*a.jump }

// product adds a·b to c: rows of cols floats, at most Wide, ldc apart. b has k
// rows ldb apart, in which there are cols floats rounded up to Lane.
func product(c []float32, ldc int, a []float32, at strided, b []float32, ldb, cols, k, rows int) {
	if whole := cols / Lane * Lane; whole > 0 {
		_, _, _ = c[(rows-1)*ldc+whole-1], a[at.at(rows-1, k-1)], b[(k-1)*ldb+whole-1]
		tiles(c, ldc, a, at, b, ldb, whole, k, rows)
	}
	if cols%Lane > 0 {
		whole := cols / Lane * Lane
		edge(c[whole:], ldc, a, at, b[whole:], ldb, cols-whole, k, rows)
	}
}

// edge is product of less than a lane of columns.
func edge(c []float32, ldc int, a []float32, at strided, b []float32, ldb, cols, k, rows int) {
	scratch := edges.Get()
	for i := 0; i < rows; i += maxTile {
		n := min(maxTile, rows-i)
		for r := range n {
			copy(scratch[r*Lane:(r+1)*Lane], c[(i+r)*ldc:][:cols])
		}
		product(scratch[:], Lane, a[i*at.row:], at, b, ldb, Lane, k, n)
		for r := range n {
			copy(c[(i+r)*ldc:][:cols], scratch[r*Lane:])
		}
	}
	edges.Put(scratch)
}
