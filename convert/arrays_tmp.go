package convert

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// array is a named array: Data is []float32, []float64, []int64 or []int32.
type array struct {
	Shape []int
	Data  any
}

type arrays map[string]array

func (a arrays) write(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, v := range a {
		w, _ := z.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
		d := map[string]string{"[]float32": "<f4", "[]float64": "<f8", "[]int64": "<i8", "[]int32": "<i4"}[fmt.Sprintf("%T", v.Data)]
		s := "("
		for _, n := range v.Shape {
			s += fmt.Sprintf("%d,", n)
		}
		h := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s), }", d, s)
		h += strings.Repeat(" ", (64-(len(h)+11)%64)%64) + "\n"
		w.Write([]byte("\x93NUMPY\x01\x00"))
		binary.Write(w, binary.LittleEndian, uint16(len(h)))
		io.WriteString(w, h)
		binary.Write(w, binary.LittleEndian, v.Data)
	}
	return z.Close()
}

func readArrays(path string) (arrays, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	a := arrays{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		n := int(binary.LittleEndian.Uint16(b[8:]))
		h := string(b[10 : 10+n])
		d := regexp.MustCompile(`'descr': '(.*?)'`).FindStringSubmatch(h)[1]
		sh := regexp.MustCompile(`'shape': \((.*?)\)`).FindStringSubmatch(h)[1]
		var shape []int
		size := 1
		for _, s := range strings.Split(sh, ",") {
			if s = strings.TrimSpace(s); s != "" {
				k, _ := strconv.Atoi(s)
				shape = append(shape, k)
				size *= k
			}
		}
		var data any
		switch d {
		case "<f4":
			data = make([]float32, size)
		case "<i8":
			data = make([]int64, size)
		default:
			return nil, fmt.Errorf("dtype %s", d)
		}
		binary.Read(bytes.NewReader(b[10+n:]), binary.LittleEndian, data)
		a[strings.TrimSuffix(f.Name, ".npy")] = array{shape, data}
	}
	return a, nil
}
