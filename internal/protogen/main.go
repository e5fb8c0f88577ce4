// Command protogen writes the Go code of a protobuf file, as protoc with
// protoc-gen-go does, but is Go alone: nothing is to be installed. `go generate`
// in the file's package calls it:
//
//	go run . -in ../../convert/internal/onnxfile/onnx.proto -name sluice/convert/internal/onnxfile/onnx.proto -out ../../convert/internal/onnxfile/onnx.pb.go
//
// The name is what the file is registered by in a program. It stands for the
// whole path, so that it cannot collide with another's onnx.proto.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	gengo "google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	in := flag.String("in", "", "the protobuf file")
	name := flag.String("name", "", "what it is registered by")
	out := flag.String("out", "", "where the Go code goes")
	flag.Parse()
	code, err := generate(*in, *name)
	if err == nil {
		err = os.WriteFile(*out, code, 0o666)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// generate is the Go code of a file that imports no other.
func generate(in, name string) ([]byte, error) {
	compiler := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{
			Accessor: func(path string) (io.ReadCloser, error) {
				if path != name {
					return nil, os.ErrNotExist
				}
				return os.Open(in)
			},
		},
		SourceInfoMode: protocompile.SourceInfoStandard, // comments
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return nil, err
	}
	plugin, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{name},
		Parameter:      proto.String("paths=source_relative"),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protoutil.ProtoFromFileDescriptor(files[0])},
	})
	if err != nil {
		return nil, err
	}
	gengo.GenerateFile(plugin, plugin.FilesByPath[name])
	response := plugin.Response()
	switch {
	case response.Error != nil:
		return nil, fmt.Errorf("%s", response.GetError())
	case len(response.File) != 1:
		return nil, fmt.Errorf("%d files of code, want 1", len(response.File))
	}
	return []byte(response.File[0].GetContent()), nil
}
