package kernel

import "fmt"

// What is done to rows of Wide floats beside the products: rows of one block
// of columns. Sums of more than one row are taken in the order of the rows.

// rowPiece is how many rows one call of assembly takes, which nothing can
// interrupt: some 20 microseconds of exponentials.
const rowPiece = 512

// MaxRows sets top[i] to the largest of itself and the 64 of row i of x
// (rows, 64). It passes over NaN.
func MaxRows(top, x []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		maxRows(top[i:], x[i*Wide:], min(rowPiece, rows-i))
	}
}

// ExpSumRows sets row i of x (rows, 64) to exp(x − top[i]) and adds the row's
// sum to sum[i]. top[i] is no less than any of row i. −Inf becomes exactly 0;
// NaN and +Inf make the sum NaN. The difference is rounded to float32 but with
// Generic, which costs the difference times 6e-8 of what it becomes.
func ExpSumRows(sum []float64, x, top []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		expSumRows(sum[i:], x[i*Wide:], top[i:], min(rowPiece, rows-i))
	}
}

// ScaleRows multiplies row i of x (rows, 64) by by[i].
func ScaleRows(x, by []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		scaleRows(x[i*Wide:], by[i:], min(rowPiece, rows-i))
	}
}

// SumRows adds the rows of x (rows, 64) to db (64).
func SumRows(db, x []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		sumRows(db, x[i*Wide:], min(rowPiece, rows-i))
	}
}

// SumProducts adds to db (16) the products of the rows of a and of b (rows, 16 of
// 64), one row after the other.
func SumProducts(db, a, b []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		sumProducts(db, a[i*Wide:], b[i*Wide:], min(rowPiece, rows-i))
	}
}

// FillRows sets each row of dst (rows, 64) to bias (64).
func FillRows(dst, bias []float32, rows int) {
	for i := 0; i < rows; i += rowPiece {
		lookUpRows(dst[i*Wide:], bias, nil, 0, nil, min(rowPiece, rows-i))
	}
}

// LookUpRows sets row i of dst (rows, 64) to bias (64), and adds to its first
// width columns row ids[i] of table (N, width).
func LookUpRows(dst, bias, table []float32, width int, ids []int32, rows int) {
	checkIDs("LookUpRows", table, width, ids[:rows])
	for i := 0; i < rows; i += rowPiece {
		lookUpRows(dst[i*Wide:], bias, table, width, ids[i:], min(rowPiece, rows-i))
	}
}

// ScatterRows adds the first width columns of row i of x (rows, 64) to row
// ids[i] of table (N, width).
func ScatterRows(table []float32, width int, x []float32, ids []int32, rows int) {
	checkIDs("ScatterRows", table, width, ids[:rows])
	for i := 0; i < rows; i += rowPiece {
		scatterRows(table, width, x[i*Wide:], ids[i:], min(rowPiece, rows-i))
	}
}

func checkIDs(name string, table []float32, width int, ids []int32) {
	if width%Lane != 0 || width < Lane || width > Wide {
		panic(fmt.Sprintf("kernel: %s: width %d, want 16, 32, 48 or 64", name, width))
	}
	n := len(table) / width
	for i, id := range ids {
		if uint(id) >= uint(n) {
			panic(fmt.Sprintf("kernel: %s: id %d at %d, want 0 ≤ id < %d", name, id, i, n))
		}
	}
}

// piece is how many floats of long vectors one call of assembly takes, so that
// it ends within microseconds, and whole how many of x, of Lane or more.
const piece = 4096

func whole(x []float32) int { return min(len(x)/Lane*Lane, piece) }

// AddTo adds x to y, which has its length.
func AddTo(y, x []float32) {
	y = y[:len(x)]
	for len(x) >= Lane {
		n := whole(x)
		addTo(y[:n], x[:n])
		y, x = y[n:], x[n:]
	}
	addToGeneric(y, x)
}
