//go:build !purego

package kernel

import "unsafe"

// first is where x begins, n of it being there.
func first[T any](x []T, n int) *T {
	_ = x[n-1]
	return &x[0]
}

func maxRows(top, x []float32, rows int) {
	switch level {
	case AVX512:
		maxRowsAVX512(first(top, rows), block(x, rows), rows)
	case AVX2:
		maxRowsAVX2(first(top, rows), block(x, rows), rows)
	default:
		maxRowsGeneric(top, x, rows)
	}
}

func expSumRows(sum []float64, x, top []float32, rows int) {
	switch level {
	case AVX512:
		expSumRowsAVX512(first(sum, rows), block(x, rows), first(top, rows), rows)
	case AVX2:
		expSumRowsAVX2(first(sum, rows), block(x, rows), first(top, rows), rows)
	default:
		expSumRowsGeneric(sum, x, top, rows)
	}
}

func scaleRows(x, by []float32, rows int) {
	switch level {
	case AVX512:
		scaleRowsAVX512(block(x, rows), first(by, rows), rows)
	case AVX2:
		scaleRowsAVX2(block(x, rows), first(by, rows), rows)
	default:
		scaleRowsGeneric(x, by, rows)
	}
}

func sumRows(db, x []float32, rows int) {
	switch level {
	case AVX512:
		sumRowsAVX512(block(db, 1), block(x, rows), rows)
	case AVX2:
		sumRowsAVX2(block(db, 1), block(x, rows), rows)
	default:
		sumRowsGeneric(db, x, rows)
	}
}

func sumProducts(db, a, b []float32, rows int) {
	switch level {
	case AVX512:
		sumProductsAVX512(first(db, Lane), panel(a, rows), panel(b, rows), rows)
	case AVX2:
		sumProductsAVX2(first(db, Lane), panel(a, rows), panel(b, rows), rows)
	default:
		sumProductsGeneric(db, a, b, rows)
	}
}

// lookUpRows is LookUpRows of ids that are in the table, or FillRows with
// width 0.
func lookUpRows(dst, bias, table []float32, width int, ids []int32, rows int) {
	switch level {
	case AVX512:
		lookUpRowsAVX512(block(dst, rows), block(bias, 1), unsafe.SliceData(table), width, unsafe.SliceData(ids), rows)
	case AVX2:
		lookUpRowsAVX2(block(dst, rows), block(bias, 1), unsafe.SliceData(table), width, unsafe.SliceData(ids), rows)
	default:
		lookUpRowsGeneric(dst, bias, table, width, ids, rows)
	}
}

// scatterRows is ScatterRows of ids that are in the table.
func scatterRows(table []float32, width int, x []float32, ids []int32, rows int) {
	switch level {
	case AVX512:
		scatterRowsAVX512(&table[0], width, block(x, rows), &ids[0], rows)
	case AVX2:
		scatterRowsAVX2(&table[0], width, block(x, rows), &ids[0], rows)
	default:
		scatterRowsGeneric(table, width, x, ids, rows)
	}
}

// addTo is AddTo of a multiple of Lane, above 0.
func addTo(y, x []float32) {
	switch level {
	case AVX512:
		addToAVX512(&y[0], &x[0], len(x)/Lane)
	case AVX2:
		addToAVX2(&y[0], &x[0], len(x)/Lane)
	default:
		addToGeneric(y, x)
	}
}
