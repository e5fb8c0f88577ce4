package torchfile

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// function is a global that a pickle may call.
type function func(args []any) (any, error)

// Call makes function a types.Callable.
func (f function) Call(args ...any) (any, error) { return f(args) }

// globals are the globals that a pickle may name: dtypes (a DType), types of
// storages (a storageType) and functions.
var globals = map[string]any{
	"collections.OrderedDict":             function(newOrderedDict),
	"torch._utils._rebuild_tensor":        function(rebuildTensor),
	"torch._utils._rebuild_tensor_v2":     function(rebuildTensor2),
	"torch._utils._rebuild_tensor_v3":     function(rebuildTensor3),
	"torch._utils._rebuild_parameter":     function(rebuildParameter),
	"torch.storage.UntypedStorage":        storageType("uint8"),
	"torch.DoubleStorage":                 storageType("float64"),
	"torch.FloatStorage":                  storageType("float32"),
	"torch.HalfStorage":                   storageType("float16"),
	"torch.BFloat16Storage":               storageType("bfloat16"),
	"torch.LongStorage":                   storageType("int64"),
	"torch.IntStorage":                    storageType("int32"),
	"torch.ShortStorage":                  storageType("int16"),
	"torch.CharStorage":                   storageType("int8"),
	"torch.ByteStorage":                   storageType("uint8"),
	"torch.BoolStorage":                   storageType("bool"),
	"torch.ComplexDoubleStorage":          storageType("complex128"),
	"torch.ComplexFloatStorage":           storageType("complex64"),
	"torch.Size":                          function(skip),
	"torch.device":                        function(skip),
	"collections.Counter":                 function(skip),
	"__builtin__.set":                     function(skip),
	"__builtin__.complex":                 function(skip),
	"__builtin__.bytearray":               function(skip),
	"_codecs.encode":                      function(skip),
	"numpy.core.multiarray.scalar":        function(skip),
	"numpy._core.multiarray.scalar":       function(skip),
	"numpy.core.multiarray._reconstruct":  function(skip),
	"numpy._core.multiarray._reconstruct": function(skip),
	"numpy.dtype":                         function(skip),
	"numpy.ndarray":                       function(skip),
}

func init() {
	for dtype := range dtypes {
		globals["torch."+string(dtype)] = dtype
	}
}

// skipped stands for a value that holds no tensor: what made it is not run.
type skipped struct{}

func skip([]any) (any, error) { return skipped{}, nil }

// PySetState takes the state of a skipped value and drops it.
func (skipped) PySetState(any) error { return nil }

// orderedDict is a collections.OrderedDict. Python 2 gives it its first items
// as an argument, a list of lists of two.
type orderedDict struct {
	first *types.List
	items types.Dict
}

func newOrderedDict(args []any) (any, error) {
	d := &orderedDict{first: &types.List{}}
	if len(args) == 0 {
		return d, nil
	}
	first, ok := args[0].(*types.List)
	if !ok || len(args) > 1 {
		return nil, invalidf("OrderedDict of %d arguments, the first a %T, want a list alone", len(args), args[0])
	}
	d.first = first
	return d, nil
}

// Set adds an item.
func (d *orderedDict) Set(key, value any) { d.items.Set(key, value) }

// PySetState drops the attributes of an OrderedDict, a state_dict's _metadata.
func (d *orderedDict) PySetState(any) error { return nil }

// unpickle runs a pickle that was scanned. Storages come from load, nil if none
// may be there.
func unpickle(data []byte, load func(id any) (any, error)) (value any, err error) {
	defer func() { // the last line: the scan lets no pickle through that does this
		if p := recover(); p != nil {
			value, err = nil, invalidf("pickle: %.160q", fmt.Sprint(p))
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(data))
	u.PersistentLoad = load
	u.FindClass = func(module, name string) (any, error) {
		b := []byte(module)
		if len(b) > 0 {
			b[0] ^= hidden
		}
		global := string(b) + "." + name
		if globals[global] == nil {
			return nil, forbidden(global)
		}
		return globals[global], nil
	}
	value, err = u.Load()
	if err == nil || errors.Is(err, ErrFormat) {
		return value, err
	}
	return nil, invalidf("pickle: %s", strings.Join(strings.Fields(fmt.Sprintf("%.160s", err)), " "))
}

// show is a value for an error: only a number or a string, and of all else the
// type, for gopickle's lists print all that they hold, and may hold themselves.
func show(v any) string {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case string:
		return fmt.Sprintf("%.40q", v)
	}
	return fmt.Sprintf("a %T", v)
}
