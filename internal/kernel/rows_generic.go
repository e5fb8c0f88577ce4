package kernel

func maxRowsGeneric(top, x []float32, rows int) {
	for i := range rows {
		for _, v := range x[i*Wide:][:Wide] {
			if v > top[i] { // ten times as fast as max
				top[i] = v
			}
		}
	}
}

func expSumRowsGeneric(sum []float64, x, top []float32, rows int) {
	for i := range rows {
		sum[i] += expSum(x[i*Wide:][:Wide], top[i])
	}
}

func scaleRowsGeneric(x, by []float32, rows int) {
	for i := range rows {
		row, b := x[i*Wide:][:Wide], by[i]
		for j := range row {
			row[j] *= b
		}
	}
}

func sumRowsGeneric(db, x []float32, rows int) {
	for i := range rows {
		addToGeneric(db[:Wide], x[i*Wide:][:Wide])
	}
}

func sumProductsGeneric(db, a, b []float32, rows int) {
	db = db[:Lane]
	for row := range rows {
		a, b := unit(a, row), unit(b, row)
		for j := range db {
			db[j] += float32(a[j] * b[j])
		}
	}
}

func lookUpRowsGeneric(dst, bias, table []float32, width int, ids []int32, rows int) {
	for i := range rows {
		row := dst[i*Wide:][:Wide]
		copy(row, bias[:Wide])
		if width > 0 {
			addToGeneric(row[:width], table[int(ids[i])*width:][:width])
		}
	}
}

func scatterRowsGeneric(table []float32, width int, x []float32, ids []int32, rows int) {
	for i := range rows {
		addToGeneric(table[int(ids[i])*width:][:width], x[i*Wide:][:Wide][:width])
	}
}

func addToGeneric(y, x []float32) {
	for i, v := range x {
		y[i] += v
	}
}
