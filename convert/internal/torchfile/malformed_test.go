package torchfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// A pickle that would run a command is refused by the name of what it would
// call, and the command did not run.
func TestCanary(t *testing.T) {
	const command = "touch CANARY"
	text := "S'" + command + "'\n"
	canaries := map[string]string{
		`"posix.system"`:           "cposix\nsystem\n(" + text + "tR.",
		`"os.system"`:              proto + "cos\nsystem\n" + str(command) + "\x85R.",
		`"nt.system"`:              "(" + text + "int\nsystem\n.",
		`"os.popen"`:               "\x80\x04\x95\x30\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x05popen\x94\x93\x94\x8c\x0c" + command + "\x94\x85\x94R\x94.",
		`"os.execl"`:               proto + dict(str("w"), vector, str("x"), "cos\nexecl\n"+str(command)+"\x85R") + ".",
		`"os.spawnl"`:              proto + dict(str("state_dict"), orderedText+")R("+str("w")+vector+str("x")+"(cos\nspawnl\n"+str(command)+"ou") + ".",
		`"builtins.eval"`:          proto + "cbuiltins\neval\n" + str("__import__('os').system('"+command+"')") + "\x85R.",
		`"builtins.exec"`:          proto + orderedText + ")\x81}" + str("__setstate__") + "cbuiltins\nexec\nsbN.",
		`"torch.hub.load"`:         proto + "ctorch\nhub.load\n)R.",
		`"torch._utils.os.system"`: proto + "ctorch._utils\nos.system\n" + str(command) + "\x85R.",
		`"subprocess.run"`:         "\x80\x05Vsubprocess\nVrun\n\x93" + str(command) + "\x85R.",
	}
	t.Chdir(t.TempDir())
	for global, pickle := range canaries {
		for where, file := range map[string][]byte{
			"zip":        pickled(t, pickle),
			"legacy":     legacyOf(pickle, legacyKeys, legacyRest),
			"keys":       legacyOf(proto+vector+".", pickle, legacyRest),
			"system":     append([]byte(legacyStart[:len(legacyStart)-4]), pickle...),
			"at its end": legacyOf(proto+vector+".", pickle, ""),
		} {
			_, err := read(file)
			if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "forbidden global "+global) {
				t.Errorf("%s in %s: %v", global, where, err)
			}
		}
	}
	if _, err := os.Stat("CANARY"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the canary's file: %v", err)
	}
}

// gopickle has globals of its own, and finds them without asking. They are
// hidden from it: what is not on our list is refused, what is on it is ours.
func TestGlobalsOfGopickle(t *testing.T) {
	for _, global := range []string{"builtins\nlist", "builtins\ndict", "__builtin__\nobject", "array\n_array_reconstructor", "copy_reg\n_reconstructor"} {
		_, err := read(pickled(t, proto+"c"+global+"\n."))
		if want := strings.Replace(global, "\n", ".", 1); err == nil || !strings.Contains(err.Error(), `forbidden global "`+want+`"`) {
			t.Errorf("%s: %v", want, err)
		}
	}
	data := []byte(proto + orderedText + ")R.")
	if _, _, err := scan(data); err != nil {
		t.Fatal(err)
	}
	if v, err := unpickle(data, nil); err != nil {
		t.Error(err)
	} else if _, ok := v.(*orderedDict); !ok {
		t.Errorf("OrderedDict() is a %T", v)
	}
}

var cyclic = "]q\x00h\x00a" // a list of itself

// malformedPickles are pickles and what is wrong with them.
var malformedPickles = []struct{ pickle, want string }{
	{"", "the pickle does not end"},
	{proto, "the pickle does not end"},
	{proto + "N", "the pickle does not end"},
	{proto + "N..", "1 bytes follow the pickle"},
	{".", "pickle byte 0: STOP with 0 values and 0 marks on the stack, want 1 and none"},
	{proto + "(N.", "STOP with 1 values and 1 marks"},
	{proto + "NN.", "STOP with 2 values and 0 marks"},
	{proto + "\xff.", "pickle byte 2: unknown opcode 0xff"},
	{proto + "\x00.", "pickle byte 2: unknown opcode 0x00"},
	{"\x80\x03N.", "pickle protocol 3, want 2"},
	{"\x80\x05\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", "pickle protocol 5, want 2"},
	{proto + "\x95\x02\x00\x00\x00\x00\x00\x00\x00N.", "pickle byte 2: opcode FRAME, which torch.save does not write"},
	{proto + "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.", "opcode FRAME"},
	{proto + "\x8e\xff\xff\xff\xff\xff\xff\xff\x7fN.", "does not end"},
	{proto + "\x8e\x00\x00\x00\x00\x00\x00\x00\x00.", "opcode BINBYTES8"},
	{proto + "X\xff\xff\xff\xffN.", "does not end"},
	{proto + "T\xff\xff\xff\xffN.", "does not end"},
	{proto + "\x8b\x01\x00\x00\x00\x01.", "opcode LONG4"},
	{proto + "\x8a\x00.", "pickle byte 2: LONG1 without a byte"},
	{proto + "I5\n.", "opcode INT"},
	{proto + "N2.", "opcode DUP"},
	{proto + "N0N.", "opcode POP"},
	{proto + "(icollections\nOrderedDict\n.", "opcode INST"},
	{proto + "(" + orderedText + "o.", "opcode OBJ"},
	{proto + orderedText + ")\x81.", "opcode NEWOBJ"},
	{proto + orderedText + ")}\x92.", "opcode NEWOBJ_EX"},
	{proto + "\x8c\x0bcollections\x8c\x0bOrderedDict\x93.", "opcode SHORT_BINUNICODE"},
	{proto + "\x82\x01.", "opcode EXT1"},
	{proto + "\x97.", "opcode NEXT_BUFFER"},
	{proto + "Pid\n.", "opcode PERSID"},
	{proto + "h\x00.", "pickle byte 2: BINGET of memo 0, which holds nothing"},
	{proto + "Nq\x00h\x01.", "BINGET of memo 1, which holds nothing"},
	{proto + "Nq\x01h\x00.", "BINGET of memo 0, which holds nothing"},
	{proto + "Nj\xff\xff\xff\xff.", "LONG_BINGET of memo 4294967295, which holds nothing"},
	{proto + "Nq\x02.", "BINPUT to memo 2, want 0, the next"},
	{proto + "Nq\x00q\x02.", "BINPUT to memo 2, want 1, the next"},
	{proto + "Nr\xff\xff\xff\xff.", "LONG_BINPUT to memo 4294967295, want 0, the next"},
	{proto + "q\x00N.", "BINPUT with 0 values on the stack, want 1"},
	{proto + "t.", "pickle byte 2: TUPLE without a mark"},
	{proto + "]Ne.", "APPENDS without a mark"},
	{proto + "(Ne.", "APPENDS with 0 values on the stack, want 1"},
	{proto + "N\x86.", "TUPLE2 with 1 values on the stack, want 2"},
	{proto + "}(Nu.", "SETITEMS of 1 values, want keys and values"},
	{proto + "}Ns.", "SETITEM with 2 values on the stack, want 3"},
	{proto + "N(Nb.", "BUILD with 1 values on the stack, want 2"},
	{proto + "NNs.", "SETITEM with 2 values"},
	{proto + strings.Repeat("(", 65) + ".", "more than 64 marks in each other"},
	{proto + strings.Repeat("]", maxContainers+1) + ".", "more than 262144 marks and empty containers"},
	{proto + "N)R.", "pickle: REDUCE requires a Callable object"},
	{proto + orderedText + "NR.", "pickle: REDUCE args must be *Tuple"},
	{proto + "NNa.", "pickle: APPEND requires ListAppender"},
	{proto + "NNNs.", "pickle: SETITEM requires DictSetter"},
	{proto + "]}NNsb.", "pickle: BUILD requires a PyDictSettable instance"},
	{proto + "NQ.", "persistent id that is no storage"},
	{proto + tuple(str("module"), orderedText, "NN") + "Q.", "persistent id that is no storage"},
	{proto + tuple(str("storage"), "N", str("0"), str("cpu"), num(4)) + "Q.", "storage of type <nil>, key string and size int"},
	{proto + tuple(str("storage"), float32Text, num(0), str("cpu"), num(4)) + "Q.", "key int and size int"},
	{proto + tuple(str("storage"), float32Text, str("0"), str("cpu"), "N") + "Q.", "size <nil>"},
	{proto + tuple(str("storage"), float32Text, str("0"), str("cpu"), num(4), tuple(str("1"), num(0), num(4))) + "Q.", `storage "0" is a view of another`},
	{proto + storageID("0", 5) + ".", `storage "0" of 5 elements of 4 bytes: entry "archive/data/0" has 16 bytes, want 20`},
	{proto + storageID("0", 0) + ".", `entry "archive/data/0" has 16 bytes, want 0`},
	{proto + storageID("0", -4) + ".", `storage "0" of -4 elements`},
	{proto + storageID("0", 1<<62) + ".", `storage "0" of 4611686018427387904 elements`},
	{proto + storageID("0", 1<<55) + ".", `want 144115188075855872`},
	{proto + storageID("1", 4) + ".", `storage "1": no entry "archive/data/1" in the zip archive`},
	{proto + storageID("../data.pkl", 4) + ".", `no entry "archive/data/../data.pkl"`},
	{proto + rebuildText + ")R.", "_rebuild_tensor_v2 of 0 arguments, want 6"},
	{proto + "ctorch._utils\n_rebuild_parameter\n)R.", "_rebuild_parameter of 0 arguments, want 3"},
	{proto + dict(str("w"), view(1, []int{4}, []int{1})) + ".", `tensor "w": shape [4], strides [1], from element 1 on: lies outside of storage "0" of 4 elements`},
	{proto + dict(str("w"), view(0, []int{2, 2}, []int{3, 1})) + ".", `tensor "w": shape [2 2], strides [3 1]`},
	{proto + dict(str("w"), view(0, []int{1 << 62, 1 << 62}, []int{0, 0})) + ".", "overflows"},
	{proto + dict(str("w"), view(0, []int{0, 1 << 62, 1 << 62}, []int{0, 0, 0})) + ".", "overflows"},
	{proto + dict(str("w"), view(0, []int{1 << 40}, []int{1 << 40})) + ".", "lies outside of storage"},
	{proto + dict(str("w"), view(1<<62, []int{3}, []int{1 << 62})) + ".", "lies outside of storage"},
	{proto + dict(str("w"), view(-1, []int{4}, []int{1})) + ".", `tensor "w": offset -1,`},
	{proto + dict(str("w"), view(0, []int{-4}, []int{1})) + ".", `tensor "w": size: holds -4, want whole numbers`},
	{proto + dict(str("w"), view(3, []int{4}, []int{-1})) + ".", `tensor "w": stride: holds -1, want whole numbers`},
	{proto + dict(str("w"), view(0, []int{4}, nil)) + ".", `tensor "w": offset 0, 0 strides and shape [4]`},
	{proto + dict(str("w"), view(0, make([]int, 17), make([]int, 17))) + ".", "17 dimensions, want at most 16"},
	{proto + dict(str("w"), rebuildText+tuple(storageID("0", 4), "N", cyclic, "h\x00", "N", "N")+"R") + ".", `tensor "w": size: a *types.List, want a tuple`},
	{proto + dict(str("w"), rebuildText+tuple(storageID("0", 4), cyclic, tuple("h\x00"), ")", "N", "N")+"R") + ".", `tensor "w": size: holds a *types.List, want whole numbers`},
	{proto + dict(str("w"), rebuildText+tuple(storageID("0", 4), cyclic, ")", ")", "N", "N")+"R") + ".", `tensor "w": offset a *types.List, 0 strides`},
	{proto + dict(str("w"), rebuildText+tuple("N", num(0), ")", ")", "N", "N")+"R") + ".", `tensor "w": is a view of a <nil>, want a storage`},
	{proto + dict(str("w"), "ctorch._utils\n_rebuild_tensor_v3\n"+tuple(storageID("0", 4), num(0), ")", ")", "N", "N", orderedText)+"R") + ".", `tensor "w": dtype is a torchfile.function`},
	{proto + dict(str("w"), vector, str("w"), vector) + ".", `two tensors have the name "w"`},
	{proto + dict(str("a.b"), vector, str("a"), dict(str("b"), vector)) + ".", `two tensors have the name "a.b"`},
	{proto + dict(str("\xff"), vector) + ".", `name "\xff" is no UTF-8`},
	{proto + orderedText + "]\x85R.", ""}, // no items
	{proto + orderedText + "N\x85R.", "OrderedDict of 1 arguments, the first a <nil>, want a list alone"},
	{proto + orderedText + "](Ne\x85R.", "OrderedDict of a <nil>, want a list of key and value"},
	{proto + cyclic + ".", "more entries than the pickle has opcodes"},
	{proto + cyclic + strings.Repeat("N\x85", 200) + "0.", "opcode POP"},
	{proto + "]" + strings.Repeat("\x85", 65) + ".", "lists and dicts nest deeper than 64"},
	{proto + laughs(40) + ".", "more entries than the pickle has opcodes"},
	{proto + dict(str(strings.Repeat("n", 5000)), "]("+strings.Repeat(vector, 9)+"e") + ".", "the names of the tensors are in all much longer than the pickle"},
}

// laughs nests lists that each hold the one before twice.
func laughs(levels int) string {
	s := "(]q\x00"
	for i := range levels {
		s += "](h" + string(rune(i)) + "h" + string(rune(i)) + "eq" + string(rune(i+1))
	}
	return s + "t"
}

func TestMalformedPickles(t *testing.T) {
	for _, m := range malformedPickles {
		_, err := read(pickled(t, m.pickle))
		if m.want == "" {
			if err != nil {
				t.Errorf("%.80q: %v", m.pickle, err)
			}
			continue
		}
		checkError(t, m.pickle, err, m.want)
	}
}

func checkError(t *testing.T, of string, err error, want string) {
	t.Helper()
	if !errors.Is(err, ErrFormat) || !strings.HasPrefix(err.Error(), "torchfile: ") || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 2000 {
		t.Errorf("%.80q: got\n%v, want\n%s", of, err, want)
	}
}

// The panics of gopickle that the scan is there for: without it, they are the
// last line's.
func TestLastLine(t *testing.T) {
	for _, pickle := range []string{"\xff", "\x8a\x00.", "}(Nu."} {
		if _, err := unpickle([]byte(pickle), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", pickle, err)
		}
	}
}

func TestMalformedLegacy(t *testing.T) {
	pickle := proto + vector + "."
	keys := func(k ...string) string { return proto + "](" + strings.Join(k, "") + "e." }
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"magic":       {[]byte(proto + "K\x01."), "without PyTorch's magic number"},
		"protocol":    {[]byte(legacyStart[:15] + proto + "M\xe8\x03."), "protocol 1000 of the legacy format, want 1001"},
		"keys":        {legacyOf(pickle, proto+"N.", legacyRest), "the keys of the storages are a <nil>, want a list"},
		"no key":      {legacyOf(pickle, keys(), ""), `storage "0" is used and not listed`},
		"other key":   {legacyOf(pickle, keys(str("1")), legacyRest), `storage "1" is listed and not used`},
		"key twice":   {legacyOf(pickle, keys(str("0"), str("0")), legacyRest+legacyRest), `storage "0" is listed and not used, or listed twice`},
		"key of None": {legacyOf(pickle, keys("N"), legacyRest), `storage "" is listed and not used`},
		"count":       {legacyOf(pickle, legacyKeys, "\x05"+legacyRest[1:]), `storage "0" has 5 elements in the file, want 4`},
		"cut":         {legacyOf(pickle, legacyKeys, legacyRest[:23]), "the file is cut"},
		"longer":      {legacyOf(pickle, legacyKeys, legacyRest+"xy"), "2 bytes follow the last storage"},
		"huge": {legacyOf(proto+tuple(storageID("0", 1<<50))+".", legacyKeys, legacyRest),
			`storage "0" of 4503599627370496 bytes at byte`},
		"two sizes": {legacyOf(proto+tuple(storageID("0", 4), storageID("0", 3))+".", legacyKeys, legacyRest),
			`storage "0" has 16 bytes for one tensor and 12 for another`},
		"long pickle": {legacyOf(proto+str(strings.Repeat("x", MaxPickle))+".", keys(), ""), "pickles of more than 8388608 bytes"},
		"persistent":  {legacyOf(pickle, proto+"NQ.", legacyRest), "unsupported persistent ID"},
		"empty":       {nil, `begins with "", want a zip archive or pickle`},
		"text":        {[]byte("hello world"), `begins with "hello wo", want a zip archive or pickle`},
		"tar":         {append(make([]byte, 257), append([]byte("ustar"), make([]byte, 250)...)...), "a tar archive"},
	} {
		_, err := read(c.file)
		checkError(t, name, err, c.want)
	}
}

// TestTruncated cuts each small file at each byte.
func TestTruncated(t *testing.T) {
	for name := range goldens(t) {
		file := load(t, name)
		for n := range len(file) {
			if _, err := read(file[:n]); !errors.Is(err, ErrFormat) {
				t.Fatalf("%s cut after %d of %d bytes: %v", name, n, len(file), err)
			}
		}
	}
}

// TestBitFlips flips a bit of each byte.
func TestBitFlips(t *testing.T) {
	for _, name := range []string{"lstm.pt", "deflated.pt", "checkpoint_legacy.pt"} {
		file := load(t, name)
		for i := range file {
			bit := byte(1) << (i % 8)
			file[i] ^= bit
			checkRead(t, file)
			file[i] ^= bit
		}
	}
}

// checkRead reads all of a file, which may be wrong in any way.
func checkRead(t *testing.T, file []byte) {
	t.Helper()
	f, err := read(file)
	if err != nil {
		checkError(t, "a file", err, "")
		return
	}
	for _, x := range f.Tensors {
		values, err := x.Float32()
		if n, _ := product(x.Shape); err == nil && len(values) != n {
			t.Errorf("%q of shape %v has %d values", x.Name, x.Shape, len(values))
		}
		if err != nil && !errors.Is(err, ErrLossy) {
			checkError(t, x.Name, err, "")
		}
	}
}

// failing is a reader that fails from a byte on.
type failing struct {
	r  io.ReaderAt
	at int64
}

var errDisk = errors.New("disk")

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.at {
		return 0, errDisk
	}
	return f.r.ReadAt(p, off)
}

// A failure of the reader is no error of the content.
func TestReaderFails(t *testing.T) {
	for _, name := range []string{"lstm.pt", "lstm_legacy.pt", "deflated.pt"} {
		file := load(t, name)
		for at := range len(file) {
			r := failing{bytes.NewReader(file), int64(at)}
			f, err := Read(r, int64(len(file)))
			for i := 0; err == nil && i < len(f.Tensors); i++ {
				_, err = f.Tensors[i].Float32()
			}
			if !errors.Is(err, errDisk) || errors.Is(err, ErrFormat) {
				t.Fatalf("%s, failing at byte %d: %v", name, at, err)
			}
		}
	}
}
