//go:build !amd64 || purego

package kernel

func maxRows(top, x []float32, rows int) { maxRowsGeneric(top, x, rows) }

func expSumRows(sum []float64, x, top []float32, rows int) { expSumRowsGeneric(sum, x, top, rows) }

func scaleRows(x, by []float32, rows int) { scaleRowsGeneric(x, by, rows) }

func sumRows(db, x []float32, rows int) { sumRowsGeneric(db, x, rows) }

func sumProducts(db, a, b []float32, rows int) { sumProductsGeneric(db, a, b, rows) }

func lookUpRows(dst, bias, table []float32, width int, ids []int32, rows int) {
	lookUpRowsGeneric(dst, bias, table, width, ids, rows)
}

func scatterRows(table []float32, width int, x []float32, ids []int32, rows int) {
	scatterRowsGeneric(table, width, x, ids, rows)
}

func addTo(y, x []float32) { addToGeneric(y, x) }
