package onnxfile

//go:generate go -C ../../../internal/protogen run . -in ../../convert/internal/onnxfile/onnx.proto -name sluice/convert/internal/onnxfile/onnx.proto -out ../../convert/internal/onnxfile/onnx.pb.go
