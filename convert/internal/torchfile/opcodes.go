package torchfile

// opcode is what the scan knows of an opcode of Python's pickle: see
// pickletools.py of the standard library.
type opcode struct {
	name    string
	operand operand
	effect  *effect // on the stack; nil: torch.save does not write it
}

// operand is what follows an opcode: that many bytes, or one of the forms.
type operand int

const (
	aLine    operand = -1 - iota // up to the next newline
	twoLines                     // module and name of a global
	len1                         // a length of 1 byte, then so many bytes
	len4                         // little-endian
	len8
)

// effect is what an opcode does to the stack of values.
type effect struct {
	mark      mark
	pop, push int
	pairs     bool // the values above the mark are keys and values
}

type mark int

const (
	noMark  mark = iota
	setMark      // puts a mark on the stack
	toMark       // first removes all down to the last mark, and the mark
)

// The opcodes whose operands the scan looks at.
const (
	opMARK        = '('
	opSTOP        = '.'
	opGLOBAL      = 'c'
	opINST        = 'i'
	opBINPUT      = 'q'
	opLONGBINPUT  = 'r'
	opBINGET      = 'h'
	opLONGBINGET  = 'j'
	opPROTO       = 0x80
	opLONG1       = 0x8a
	opSTACKGLOBAL = 0x93
)

// textOpcodes push a string; STACK_GLOBAL takes two of them.
const textOpcodes = "STUVX\x8c\x8d"

var (
	nothing = &effect{}
	push    = &effect{push: 1}
	replace = &effect{pop: 1, push: 1}
	merge   = &effect{pop: 2, push: 1}
)

var opcodes = [256]opcode{
	// What torch.save writes: protocol 2, of Python 3 and Python 2.
	opPROTO:      {"PROTO", 1, nothing},
	opMARK:       {"MARK", 0, &effect{mark: setMark}},
	opSTOP:       {"STOP", 0, &effect{pop: 1}},
	'N':          {"NONE", 0, push},
	0x88:         {"NEWTRUE", 0, push},
	0x89:         {"NEWFALSE", 0, push},
	'J':          {"BININT", 4, push},
	'K':          {"BININT1", 1, push},
	'M':          {"BININT2", 2, push},
	opLONG1:      {"LONG1", len1, push},
	'G':          {"BINFLOAT", 8, push},
	'X':          {"BINUNICODE", len4, push},
	'T':          {"BINSTRING", len4, push},
	'U':          {"SHORT_BINSTRING", len1, push},
	')':          {"EMPTY_TUPLE", 0, push},
	0x85:         {"TUPLE1", 0, replace},
	0x86:         {"TUPLE2", 0, merge},
	0x87:         {"TUPLE3", 0, &effect{pop: 3, push: 1}},
	't':          {"TUPLE", 0, &effect{mark: toMark, push: 1}},
	']':          {"EMPTY_LIST", 0, push},
	'a':          {"APPEND", 0, merge},
	'e':          {"APPENDS", 0, &effect{mark: toMark, pop: 1, push: 1}},
	'}':          {"EMPTY_DICT", 0, push},
	's':          {"SETITEM", 0, &effect{pop: 3, push: 1}},
	'u':          {"SETITEMS", 0, &effect{mark: toMark, pop: 1, push: 1, pairs: true}},
	opGLOBAL:     {"GLOBAL", twoLines, push},
	'R':          {"REDUCE", 0, merge},
	'b':          {"BUILD", 0, merge},
	'Q':          {"BINPERSID", 0, replace},
	opBINPUT:     {"BINPUT", 1, replace},
	opLONGBINPUT: {"LONG_BINPUT", 4, replace},
	opBINGET:     {"BINGET", 1, push},
	opLONGBINGET: {"LONG_BINGET", 4, push},

	// What it does not write is known so that the scan finds its way past it to
	// a forbidden global, which says more.
	'0':           {"POP", 0, nil},
	'1':           {"POP_MARK", 0, nil},
	'2':           {"DUP", 0, nil},
	'F':           {"FLOAT", aLine, nil},
	'I':           {"INT", aLine, nil},
	'L':           {"LONG", aLine, nil},
	'P':           {"PERSID", aLine, nil},
	'S':           {"STRING", aLine, nil},
	'V':           {"UNICODE", aLine, nil},
	'd':           {"DICT", 0, nil},
	'l':           {"LIST", 0, nil},
	'g':           {"GET", aLine, nil},
	'p':           {"PUT", aLine, nil},
	opINST:        {"INST", twoLines, nil},
	'o':           {"OBJ", 0, nil},
	0x81:          {"NEWOBJ", 0, nil},
	0x82:          {"EXT1", 1, nil},
	0x83:          {"EXT2", 2, nil},
	0x84:          {"EXT4", 4, nil},
	0x8b:          {"LONG4", len4, nil},
	'B':           {"BINBYTES", len4, nil},
	'C':           {"SHORT_BINBYTES", len1, nil},
	0x8c:          {"SHORT_BINUNICODE", len1, nil},
	0x8d:          {"BINUNICODE8", len8, nil},
	0x8e:          {"BINBYTES8", len8, nil},
	0x8f:          {"EMPTY_SET", 0, nil},
	0x90:          {"ADDITEMS", 0, nil},
	0x91:          {"FROZENSET", 0, nil},
	0x92:          {"NEWOBJ_EX", 0, nil},
	opSTACKGLOBAL: {"STACK_GLOBAL", 0, nil},
	0x94:          {"MEMOIZE", 0, nil},
	0x95:          {"FRAME", 8, nil},
	0x96:          {"BYTEARRAY8", len8, nil},
	0x97:          {"NEXT_BUFFER", 0, nil},
	0x98:          {"READONLY_BUFFER", 0, nil},
}
