package data

import (
	"fmt"
	"math"
	"strconv"
)

// Forecast is what is to come of C series in H steps, to be written.
type Forecast struct {
	Names     []string    // (C)
	Times     []string    // (H), see Series.Following; nil: steps are numbered from 1
	Mean      []float64   // (H, C)
	Levels    []float64   // (Q) of the quantiles, as in 0.1 and 0.9
	Quantiles [][]float64 // (Q) of (H, C)
}

// columns are the names behind that of the time: for each series its mean and
// quantiles. No two columns have the same name.
func (f Forecast) columns() (names []string) {
	taken := map[string]bool{f.first(): true}
	add := func(name string) {
		name = unlike(name, func(name string) bool { return taken[name] })
		taken[name] = true
		names = append(names, name)
	}
	for _, name := range f.Names {
		add(name)
		for _, q := range f.Levels {
			add(name + "_q" + strconv.FormatFloat(q, 'g', -1, 64))
		}
	}
	return names
}

// first is the name of the first column.
func (f Forecast) first() string {
	if f.Times == nil {
		return "step"
	}
	return "time"
}

// row appends the numbers of a step in the order of columns to dst.
func (f Forecast) row(dst []float64, h int) []float64 {
	for j := range f.Names {
		dst = append(dst, f.Mean[h*len(f.Names)+j])
		for _, q := range f.Quantiles {
			dst = append(dst, q[h*len(f.Names)+j])
		}
	}
	return dst
}

func (f Forecast) check() (steps int) {
	c := max(1, len(f.Names))
	steps = len(f.Mean) / c
	bad := len(f.Mean) != steps*len(f.Names) || f.Times != nil && len(f.Times) != steps || len(f.Quantiles) != len(f.Levels)
	for _, q := range f.Quantiles {
		bad = bad || len(q) != len(f.Mean)
	}
	if bad {
		panic(fmt.Sprintf("data: Forecast: %d means of %d series at %d times with %d quantiles at %d levels, want (H, C), (H) and as many of (H, C) as levels",
			len(f.Mean), len(f.Names), len(f.Times), len(f.Quantiles), len(f.Levels)))
	}
	return steps
}

// AppendCSV appends a header and a row for each step: time, or step without
// times, then for each series its mean, as NAME, and its quantiles, as NAME_q0.1; a
// name that another column has becomes NAME_2.
// Numbers have the digits of a float32; what is not finite is an empty cell.
func (f Forecast) AppendCSV(dst []byte) []byte {
	steps := f.check()
	dst = append(dst, f.first()...)
	for _, name := range f.columns() {
		dst = appendCSV(append(dst, ','), name)
	}
	dst = append(dst, '\n')
	var row []float64
	for h := range steps {
		if f.Times == nil {
			dst = strconv.AppendInt(dst, int64(h+1), 10)
		} else {
			dst = appendCSV(dst, f.Times[h])
		}
		row = f.row(row[:0], h)
		for _, v := range row {
			dst = append(dst, ',')
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				dst = strconv.AppendFloat(dst, v, 'g', -1, 32)
			}
		}
		dst = append(dst, '\n')
	}
	return dst
}

// AppendJSONLines appends an object for each step with the columns of AppendCSV
// as its fields; a step is a number, and what is not finite is null.
func (f Forecast) AppendJSONLines(dst []byte) []byte {
	steps, names := f.check(), f.columns()
	var row []float64
	for h := range steps {
		dst = append(appendJSON(append(dst, '{'), f.first()), ':')
		if f.Times == nil {
			dst = strconv.AppendInt(dst, int64(h+1), 10)
		} else {
			dst = appendJSON(dst, f.Times[h])
		}
		row = f.row(row[:0], h)
		for i, v := range row {
			dst = append(appendJSON(append(dst, ','), names[i]), ':')
			dst = appendJSONNumber(dst, v, 32)
		}
		dst = append(dst, "}\n"...)
	}
	return dst
}
