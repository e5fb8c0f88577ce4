package kernel

// spare keeps scratch from one call to the next. Unlike a sync.Pool it is not
// emptied by a collection, so that nothing allocates once as many were made as
// run at once.
type spare[T any] struct {
	free chan *T
	make func() *T
}

func newSpare[T any](create func() *T) spare[T] {
	return spare[T]{make(chan *T, 64), create}
}

// Get takes scratch that holds anything.
func (s spare[T]) Get() *T {
	select {
	case x := <-s.free:
		return x
	default:
		return s.make()
	}
}

// Put gives it back.
func (s spare[T]) Put(x *T) {
	select {
	case s.free <- x:
	default:
	}
}
