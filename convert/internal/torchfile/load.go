package torchfile

import (
	"math"

	"github.com/nlpodyssey/gopickle/types"
)

// loader gives the storage of a pickle's persistent id, made by find: the one
// of a key, which is to have so many elements of so many bytes.
func loader(find func(key string, elements, width int) (*storage, error)) func(id any) (any, error) {
	return func(id any) (any, error) {
		t, ok := id.(*types.Tuple)
		if !ok || t.Len() < 5 || t.Len() > 6 || t.Get(0) != "storage" {
			return nil, invalidf("persistent id that is no storage: save the model's state_dict")
		}
		dtype, ok := t.Get(1).(storageType)
		key, okKey := t.Get(2).(string)
		elements, okElements := t.Get(4).(int)
		if !ok || !okKey || !okElements {
			return nil, invalidf("storage of type %T, key %T and size %T, want a type of storage, a string and a number", t.Get(1), t.Get(2), t.Get(4))
		}
		if t.Len() == 6 && t.Get(5) != nil {
			return nil, invalidf("storage %.40q is a view of another, as PyTorch wrote before 0.4: load it with PyTorch and save it anew", key)
		}
		width := dtypes[DType(dtype)]
		if elements < 0 || elements > maxElements {
			return nil, invalidf("storage %.40q of %d elements, want 0 to %d", key, elements, maxElements)
		}
		s, err := find(key, elements, width)
		if err != nil {
			return nil, err
		}
		return &typedStorage{s, DType(dtype)}, nil
	}
}

// maxElements keeps the bytes of a storage from overflowing.
const maxElements = math.MaxInt / 128
