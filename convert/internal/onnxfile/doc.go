// Package onnxfile reads and writes ONNX files. It knows no model.
//
// A file is one protobuf message. onnx.proto has what of it is read and
// written, `go generate` makes onnx.pb.go of it. [Read] checks the bytes before
// they are decoded and all names, shapes and lengths after it, so that what it
// returns is whole: values have one source each, nodes are sorted, and each
// constant has as many elements as its shape says. A [Builder] writes.
//
// Errors begin with "convert: ", as this package is a part of package convert.
package onnxfile

import "fmt"

func errorf(format string, args ...any) error { return fmt.Errorf("convert: "+format, args...) }
