package torchfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"strings"
)

// errCut is the scan's error where the bytes end before the pickle does.
var errCut = errors.New("torchfile: cut")

// maxContainers bounds the marks and empty lists, dicts and tuples of a pickle:
// each takes one byte there and up to 300 in memory.
const maxContainers = 1 << 18

// scanner walks over a pickle without running it. It keeps account of the
// stack's height and of the memo, so that gopickle meets nothing that it would
// panic at or take much memory for.
type scanner struct {
	data       []byte
	pos        int
	opcodes    int
	height     int   // values above the last mark
	below      []int // the heights below the marks
	containers int
	memoBase   int // the first index of the memo: 0, or 1 of Python 2
	memoLen    int
	texts      [2][]byte // the last two strings
	refused    error     // of the first opcode that is not to run
}

// scan finds the end of the pickle that data begins with, and the number of its
// opcodes. Its error says what makes the pickle unfit to run: a forbidden
// global, if there is one, before all else; errCut if data ends before.
//
// In the globals it flips the highest bit of the module's first byte. gopickle
// has six globals of its own, which it does not ask about; so it knows none.
func scan(data []byte) (end, count int, err error) {
	s := &scanner{data: data}
	for {
		at := s.pos
		b, err := s.take(1)
		if err != nil {
			return 0, 0, cmp.Or(s.refused, err)
		}
		s.opcodes++
		op := &opcodes[b[0]]
		if op.name == "" {
			return 0, 0, cmp.Or(s.refused, invalidf("pickle byte %d: unknown opcode 0x%02x", at, b[0]))
		}
		arg, err := s.operand(op.operand)
		if err != nil {
			return 0, 0, cmp.Or(s.refused, err)
		}
		if err := s.checkGlobal(b[0], arg); err != nil {
			return 0, 0, err
		}
		if s.refused == nil {
			s.refused = s.step(at, b[0], op, arg)
		}
		if b[0] == opSTOP {
			return s.pos, s.opcodes, s.refused
		}
	}
}

// take returns the next n bytes.
func (s *scanner) take(n uint64) ([]byte, error) {
	if n > uint64(len(s.data)-s.pos) {
		return nil, errCut
	}
	b := s.data[s.pos : s.pos+int(n)]
	s.pos += int(n)
	return b, nil
}

// operand returns the operand's bytes, without a length before or a newline
// after them.
func (s *scanner) operand(form operand) ([]byte, error) {
	switch form {
	case aLine:
		return s.line()
	case twoLines:
		start := s.pos
		if _, err := s.line(); err != nil {
			return nil, err
		}
		if _, err := s.line(); err != nil {
			return nil, err
		}
		return s.data[start : s.pos-1], nil
	case len1:
		return s.counted(1)
	case len4:
		return s.counted(4)
	case len8:
		return s.counted(8)
	}
	return s.take(uint64(form))
}

// counted returns the bytes behind their length, which has so many bytes.
func (s *scanner) counted(width uint64) ([]byte, error) {
	b, err := s.take(width)
	if err != nil {
		return nil, err
	}
	var n [8]byte
	copy(n[:], b)
	return s.take(binary.LittleEndian.Uint64(n[:]))
}

func (s *scanner) line() ([]byte, error) {
	n := bytes.IndexByte(s.data[s.pos:], '\n')
	if n < 0 {
		return nil, errCut
	}
	line := s.data[s.pos : s.pos+n]
	s.pos += n + 1
	return line, nil
}

// checkGlobal refuses an opcode that names a global which is not allowed. Of
// STACK_GLOBAL, which is refused by itself, it takes the last two strings for
// the names.
func (s *scanner) checkGlobal(b byte, arg []byte) error {
	module, name := s.texts[0], s.texts[1]
	switch {
	case b == opGLOBAL || b == opINST:
		module, name, _ = bytes.Cut(arg, []byte("\n"))
	case b == opSTACKGLOBAL:
	case strings.IndexByte(textOpcodes, b) >= 0:
		s.texts = [2][]byte{s.texts[1], arg}
		return nil
	default:
		return nil
	}
	if global := string(module) + "." + string(name); globals[global] == nil {
		return forbidden(global)
	}
	if b == opGLOBAL {
		arg[0] ^= hidden
	}
	return nil
}

// hidden is the bit that the scan flips in the first byte of a module.
const hidden = 0x80

func forbidden(global string) error {
	return invalidf("forbidden global %.80q: only tensors and plain values in dicts and lists are read; save the model's state_dict", global)
}

// step checks what an opcode takes from the stack and the memo.
func (s *scanner) step(at int, b byte, op *opcode, arg []byte) error {
	if op.effect == nil {
		return invalidf("pickle byte %d: opcode %s, which torch.save does not write by itself: save with its own pickle_protocol, 2", at, op.name)
	}
	switch b {
	case opPROTO:
		if arg[0] != 2 {
			return invalidf("pickle protocol %d, want 2, which torch.save writes by itself", arg[0])
		}
	case opLONG1:
		if len(arg) == 0 {
			return invalidf("pickle byte %d: LONG1 without a byte", at)
		}
	case opBINPUT, opLONGBINPUT:
		if err := s.put(at, op, arg); err != nil {
			return err
		}
	case opBINGET, opLONGBINGET:
		if i := index(arg) - s.memoBase; i < 0 || i >= s.memoLen {
			return invalidf("pickle byte %d: %s of memo %d, which holds nothing", at, op.name, index(arg))
		}
	case opSTOP:
		if len(s.below) > 0 || s.height != 1 {
			return invalidf("pickle byte %d: STOP with %d values and %d marks on the stack, want 1 and none", at, s.height, len(s.below))
		}
	case opMARK, ')', ']', '}':
		if s.containers++; s.containers > maxContainers {
			return invalidf("pickle of more than %d marks and empty containers", maxContainers)
		}
	}
	return s.apply(at, op)
}

// put counts a value of the memo. Python numbers them in their order.
func (s *scanner) put(at int, op *opcode, arg []byte) error {
	i := index(arg)
	if s.memoLen == 0 && i == 1 {
		s.memoBase = 1
	}
	if i != s.memoBase+s.memoLen {
		return invalidf("pickle byte %d: %s to memo %d, want %d, the next", at, op.name, i, s.memoBase+s.memoLen)
	}
	s.memoLen++
	return nil
}

// index is the operand of an opcode that reads or writes the memo.
func index(arg []byte) int {
	var n [8]byte
	copy(n[:], arg)
	return int(binary.LittleEndian.Uint64(n[:]))
}

// apply has the effect of an opcode on the height of the stack.
func (s *scanner) apply(at int, op *opcode) error {
	e := op.effect
	switch e.mark {
	case setMark:
		if len(s.below) == MaxDepth {
			return invalidf("pickle byte %d: more than %d marks in each other", at, MaxDepth)
		}
		s.below = append(s.below, s.height)
		s.height = 0
		return nil
	case toMark:
		if len(s.below) == 0 {
			return invalidf("pickle byte %d: %s without a mark", at, op.name)
		}
		if e.pairs && s.height%2 != 0 {
			return invalidf("pickle byte %d: %s of %d values, want keys and values", at, op.name, s.height)
		}
		s.height = s.below[len(s.below)-1]
		s.below = s.below[:len(s.below)-1]
	}
	if s.height < e.pop {
		return invalidf("pickle byte %d: %s with %d values on the stack, want %d", at, op.name, s.height, e.pop)
	}
	s.height += e.push - e.pop
	return nil
}
