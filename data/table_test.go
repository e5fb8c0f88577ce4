package data

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// examples reads all, and shows each as LABEL|TEXT or LABEL|VALUES by F.
func examples(name string, r io.Reader, t Table) (shown []string, err error) {
	for e, err := range ReadExamples(name, r, t) {
		if err != nil {
			return shown, err
		}
		shown = append(shown, showExample(e))
	}
	return shown, nil
}

func showExample(e Example) string {
	if e.Values == nil {
		return fmt.Sprintf("%d %s|%s", e.Line, e.Label, e.Text)
	}
	return fmt.Sprintf("%d %s|%v/%d", e.Line, e.Label, e.Values, e.F)
}

// An example knows where it is, and in which columns its text and its label are.
func TestExampleKnowsItsPlace(t *testing.T) {
	for _, c := range []struct {
		name, file string
		t          Table
		want       string
	}{
		{"a.csv", "said,mood\nrain,wet", Table{}, `a.csv: line 2 "said" "mood"`},
		{"a.csv", "id,text\n7,rain", Table{}, `a.csv: line 2 "text" ""`},
		{"a.csv", "rain,wet", Table{NoHeader: true}, `a.csv: line 1 "" ""`},
		{"a.csv", ",mood\nrain,wet", Table{}, `a.csv: line 2 "" "mood"`},
		{"a.csv", "class,a,b\nx,1,2", Table{}, `a.csv: line 2 "" "class"`},
		{"a.csv", "x,x\nrain,wet", Table{}, `a.csv: line 2 "" ""`},
		{"-", "class,a,b\nx,1,2", Table{Format: "csv", Label: "kind", MayLack: true, Values: []string{"a"}}, `standard input: line 2 "" ""`},
		{"a.jsonl", `{"said":"rain","label":"wet"}`, Table{Text: "said"}, `a.jsonl: line 1 "said" "label"`},
		{"a.jsonl", `{"values":[1]}`, Table{}, `a.jsonl: line 1 "" ""`},
		{"wet.txt", "rain", Table{}, `wet.txt: line 1 "" ""`},
	} {
		for e, err := range ReadExamples(c.name, strings.NewReader(c.file), c.t) {
			if got := fmt.Sprintf("%s %q %q", e.Place(), e.TextColumn, e.LabelColumn); err != nil || got != c.want {
				t.Errorf("%s: %s, error %v, want %s", c.file, got, err, c.want)
			}
		}
	}
	if at := (Example{Line: 3}).Place(); at != "line 3" {
		t.Error(at)
	}
}

func TestReadExamples(t *testing.T) {
	none := Table{Label: "none"}
	for _, c := range []struct {
		name, file string
		t          Table
		want, err  string // want: the examples, apart by " ; "
	}{
		// Texts.
		{"a.csv", "text,label\nthe rain,wet\n\"sun, \"\"sun\"\"\nand sun\", dry \n", Table{}, "2 wet|the rain ; 3 dry|sun, \"sun\"\nand sun", ""},
		{"a.csv", bom + "label,n,text\r\nwet,1,the rain\r\n\r\ndry,2,sun", Table{}, "2 wet|the rain ; 4 dry|sun", ""},
		{"a.csv", "said,kind\nthe rain,wet\n", Table{}, "2 wet|the rain", ""},
		{"a.csv", "kind,said\nwet,the rain\n", Table{Label: "kind"}, "2 wet|the rain", ""},
		{"a.csv", "label,said\nwet,the rain\n", Table{}, "2 wet|the rain", ""},
		{"a.csv", "id,text\n7,the rain\n", Table{}, "2 |the rain", ""},
		{"a.csv", "text,class\nthe rain,wet\n", Table{}, "2 wet|the rain", ""},
		{"a.csv", "text,class\nthe rain,wet\n", none, "2 |the rain", ""},
		{"a.csv", "a,b,c\n7,the rain,wet\n", Table{Text: "b", Label: "c"}, "2 wet|the rain", ""},
		{"a.csv", "a,b,c\n7,the rain,wet\n", Table{Text: "2", Label: "3"}, "2 wet|the rain", ""},
		{"a.csv", "a,b,c\n7,the rain,wet\n", Table{Text: "b"}, "2 |the rain", ""},
		{"a.csv", "the rain,wet\nsun,dry\n", Table{NoHeader: true}, "1 wet|the rain ; 2 dry|sun", ""},
		{"a.csv", "the rain\nsun\n", Table{NoHeader: true}, "1 |the rain ; 2 |sun", ""},
		{"a.csv", "text,label\nthe rain,wet\n", none, "2 |the rain", ""},
		{"a.csv", "said,kind\nthe rain,wet\n", Table{Text: "said", Label: "kind", MayLack: true}, "2 wet|the rain", ""},
		{"a.csv", "id,said\n7,the rain\n", Table{FoundText: "said", FoundLabel: "mood", MayLack: true}, "2 |the rain", ""},
		{"a.csv", "mood,said,text,label\nwet,the rain,a,b\n", Table{FoundText: "said", FoundLabel: "mood"}, "2 wet|the rain", ""},
		{"a.csv", "said,mood\nthe rain,wet\n", Table{FoundText: "text", FoundLabel: "label"}, "2 wet|the rain", ""},
		{"a.csv", "said\nthe rain\n", Table{FoundText: "text", FoundLabel: "label", MayLack: true}, "2 |the rain", ""},
		{"a.csv", "a,said\n1,the rain\n", Table{Text: "2", FoundText: "a"}, "2 |the rain", ""},
		{"a.csv", "a,b\n1,2\n", Table{FoundLabel: "kind", MayLack: true}, "2 |[1 2]/1", ""},
		{"a.csv", "a,kind,b\n1,x,2\n", Table{FoundLabel: "kind", MayLack: true}, "2 x|[1 2]/1", ""},
		{"a.csv", "a,b,c\nx,1,2\n", Table{FoundLabel: "kind"}, "2 x|[1 2]/1", ""},
		{"a.csv", "1,2,3\n", Table{FoundLabel: "kind", MayLack: true, NoHeader: true}, "1 1|[2 3]/1", ""},
		{"a.jsonl", `{"said":"the rain","mood":"wet","text":"a"}`, Table{FoundText: "said", FoundLabel: "mood"}, "1 wet|the rain", ""},
		{"a.jsonl", `{"text":"the rain","label":"wet"}`, Table{FoundText: "said", FoundLabel: "mood"}, "1 wet|the rain", ""},
		{"a.csv", "n,said\n1,the rain\n", Table{Text: "said", Label: "kind", MayLack: true}, "2 |the rain", ""},
		{"a.csv", "said,kind\nthe rain,wet\n", Table{Text: "said", Label: "3", MayLack: true}, "2 |the rain", ""},
		{"a.csv", "a,b\n1,2\n", Table{Values: []string{"*"}, Label: "kind", MayLack: true}, "2 |[1 2]/1", ""},
		{"a.csv", "said,kind\nrain,\nsun, dry\n", Table{Text: "said", Label: "kind", MayLack: true}, "2 |rain ; 3 dry|sun", ""},
		{"a.csv", "1,2,x\n3,4\n", Table{NoHeader: true, Label: "3", MayLack: true}, "1 x|[1 2]/1 ; 2 |[3 4]/1", ""},
		{"a.jsonl", `{"text":"a","label":"x"}` + "\n" + `{"text":"b","label":null}` + "\n" + `{"text":"c","label":" "}` + "\n" + `{"text":"d"}`, Table{MayLack: true}, "1 x|a ; 2 |b ; 3 |c ; 4 |d", ""},
		{"a.jsonl", `{"text":"the rain"}`, Table{Label: "kind", MayLack: true}, "1 |the rain", ""},
		{"a.jsonl", `{"text":"the rain","kind":"wet"}`, Table{Label: "kind", MayLack: true}, "1 wet|the rain", ""},
		{"a.tsv", "text\tlabel\n\"the rain\twet\n \"s\"\"un\" \tdry\n", Table{}, "2 wet|\"the rain ; 3 dry| \"s\"\"un\" ", ""},
		{"a.data", "text\tlabel\nthe rain\twet\n", Table{Format: "tsv"}, "2 wet|the rain", ""},
		{"names/Wet.txt", " rain\r\n\n  \nhail", Table{}, "1 Wet| rain ; 4 Wet|hail", ""},
		{"Wet.txt", "rain\n", none, "1 |rain", ""},
		{"a.csv", "rain\r\r\n\"sun\r\r\n\r\"\r", Table{NoHeader: true}, "1 |rain ; 2 |sun\n\r", ""},
		{"-", "rain\n", Table{Format: "lines"}, "1 |rain", ""},

		// Numbers.
		{"a.csv", "label,v1,v2,v3\na,1,2,3\nb,4,,\nc, 5 ,-6e-1,7,8\n", Table{}, "2 a|[1 2 3]/1 ; 3 b|[4]/1 ; 4 c|[5 -0.6 7 8]/1", ""},
		{"a.csv", "1,0.5,0.25\n2,3\n", Table{NoHeader: true}, "1 1|[0.5 0.25]/1 ; 2 2|[3]/1", ""},
		{"a.csv", "0.5,0.25,7\n3,4,8\n", Table{NoHeader: true, Label: "3"}, "1 7|[0.5 0.25]/1 ; 2 8|[3 4]/1", ""},
		{"a.csv", "0.5,0.25,7\n3\n", Table{NoHeader: true, Label: "none"}, "1 |[0.5 0.25 7]/1 ; 2 |[3]/1", ""},
		{"a.csv", "v,w,label\n1,,a\n2,3,b\n", Table{}, "2 a|[1]/1 ; 3 b|[2 3]/1", ""},
		{"a.csv", "kind,v\na,1\n", Table{Values: []string{"*"}}, "2 a|[1]/1", ""},
		{"a.csv", "id,v,w,label\n9,1,2,a\n", Table{Values: []string{"w", "v"}}, "2 a|[2 1]/1", ""},
		{"a.tsv", "a\t1\t2\nb\t3\t\t\n", Table{NoHeader: true}, "1 a|[1 2]/1 ; 2 b|[3]/1", ""},
		{"a.csv", bom + bom + "rain\n", Table{NoHeader: true}, "1 |" + bom + "rain", ""},

		// What is wrong.
		{"a.csv", "text,label,text\nrain,wet,sun\n", Table{}, "", `data: a.csv: line 1: two columns are called "text": want a column's number`},
		{"a.csv", "label,text,label\nwet,rain,dry\n", Table{}, "", `data: a.csv: line 1: two columns are called "label": want a column's number`},
		{"a.csv", "", Table{}, "", "data: a.csv: no examples: want at least one"},
		{"a.csv", "text,label\n\n", Table{}, "", "data: a.csv: no examples: want at least one"},
		{"a.txt", " \n", Table{}, "", "data: a.txt: no examples: want at least one"},
		{"a.csv", "text,label\nrain,wet\nsun\n", Table{}, "2 wet|rain", "data: a.csv: line 3: 1 columns, and the first row has 2: want as many, a cell with a separator in quotes"},
		{"a.csv", "text,label\nrain, rain,wet\n", Table{}, "", "data: a.csv: line 2: 3 columns, and the first row has 2: want as many, a cell with a separator in quotes"},
		{"a.csv", "text,label\nrain, \n", Table{}, "", `data: a.csv: line 2: column 2 ("label"): empty: want a label`},
		{"a.csv", "text,label\n  ,wet\n", Table{}, "", `data: a.csv: line 2: column 1 ("text"): empty: want a text`},
		{"a.csv", "text,label\n\"rain\nsun,wet\n", Table{}, "", "data: a.csv: line 3: byte column 8: extraneous or missing \" in quoted-field"},
		{"a.csv", "text,label\nra\"in\",wet\n", Table{}, "", "data: a.csv: line 2: byte column 3: bare \" in non-quoted-field"},
		{"a.csv", "text,label\n\"ra\nin\",wet\n\"sun\n\"x,dry\n", Table{}, "2 wet|ra\nin", "data: a.csv: line 5: byte column 1: extraneous or missing \" in quoted-field"},
		{"a.csv", "text,label\nrain,wet\nsun,\xff\n", Table{}, "2 wet|rain", "data: a.csv: line 3: byte 0xFF at byte column 5 is not UTF-8"},
		{"a.csv", "a,b,c\n", Table{Text: "d"}, "", `data: a.csv: line 1: no column "d": there are "a", "b", "c"`},
		{"a.csv", "a,b,c\n", Table{Text: "a", Label: "4"}, "", `data: a.csv: line 1: no column "4": there are 3`},
		{"a.csv", "a,b\n", Table{Text: "a", Label: "9", MayLack: true}, "", `data: a.csv: line 1: no column "9": there are 2`},
		{"a.csv", "a,b,b\n", Table{Text: "a", Label: "b", MayLack: true}, "", `data: a.csv: line 1: two columns are called "b": want a column's number`},
		{"a.csv", "a,b,a\n", Table{Text: "a"}, "", `data: a.csv: line 1: two columns are called "a": want a column's number`},
		{"a.csv", "a,b,c\n", Table{Text: "a", Label: "1"}, "", `data: a.csv: line 1: column 1 is both label and text: want two columns`},
		{"a.csv", "a,b,c\n", Table{Values: []string{"a", "b"}, Label: "b"}, "", `data: a.csv: line 1: column 2 is both label and values: want two columns`},
		{"a.csv", "a,0.5,c\n1,2,3\n", Table{}, "", `data: a.csv: line 1: column 2: "0.5" is a number: want a header of names, or to be told that there is none`},
		{"a.csv", "1,2,3\n1,2,3\n", Table{}, "", `data: a.csv: line 1: column 3: "3" is a number: want a header of names, or to be told that there is none`},
		{"a.csv", "label,0,1\nx,2,3\n", Table{}, "2 x|[2 3]/1", ""},
		{"a.csv", "x,1,2\n", Table{NoHeader: true, Label: "3"}, "", `data: a.csv: line 1: column 1: "x": want a number, or to be told which column has texts`},
		{"a.csv", "1,2,x\n3,4\n", Table{NoHeader: true, Label: "3"}, "1 x|[1 2]/1", `data: a.csv: line 2: 2 columns: want a label in column 3`},
		{"a.csv", "label,v,w\na,1,NaN\n", Table{}, "", `data: a.csv: line 2: column 3 ("w"): "NaN": want a finite number, or to be told which column has texts`},
		{"a.csv", "label,v,w\na,-Inf,2\n", Table{}, "", `data: a.csv: line 2: column 2 ("v"): "-Inf": want a finite number, or to be told which column has texts`},
		{"a.csv", "label,v,w\na,1e39,2\n", Table{}, "", `data: a.csv: line 2: column 2 ("v"): "1e39": want a number within ±3.4e+38, or to be told which column has texts`},
		{"a.csv", "label,v,w\na,1e999,2\n", Table{}, "", `data: a.csv: line 2: column 2 ("v"): "1e999": want a number within ±3.4e+38, or to be told which column has texts`},
		{"a.csv", "label,v,w\na,,2\n", Table{}, "", `data: a.csv: line 2: column 2 ("v"): empty: want a number, or to be told which column has texts`},
		{"a.csv", "label,v,w\na,,2\n", Table{Values: []string{"*"}}, "", `data: a.csv: line 2: column 2 ("v"): empty: want a number`},
		{"a.tsv", "v\tw\n1\t2\n\n\t\n", Table{Label: "none", Values: []string{"v", "w"}}, "2 |[1 2]/1", `data: a.tsv: line 4: column 1 ("v"): empty: want a number`},
		{"a.csv", "label,v,w\na,,\n", Table{}, "", `data: a.csv: line 2: a sequence without values: want at least one number`},
		{"a.csv", "label,v,w\na,1\n", Table{Values: []string{"v", "w"}}, "", `data: a.csv: line 2: 2 columns, and the first row has 3: want as many, a cell with a separator in quotes`},
		{"a.xml", "", Table{}, "", "data: a.xml: a name that tells no format: want .csv, .tsv, .jsonl, .ndjson, .txt or .npz, or a format given"},
		{"-", "", Table{}, "", "data: standard input: a name that tells no format: want .csv, .tsv, .jsonl, .ndjson, .txt or .npz, or a format given"},
		{"a.txt", "rain\n", Table{Text: "a"}, "", "data: columns in a table of format lines: want none, as it has no columns"},
		{"long.txt", "rain\n" + strings.Repeat("x", maxLine+1) + "\n", Table{}, "1 long|rain", "data: long.txt: line 2: longer than 16777216 bytes: want at most that"},
		{"a.csv", "text\n\"" + strings.Repeat("rain\n", maxLine/4), Table{}, "", "data: a.csv: line 2: a row longer than 16777216 bytes, for a quote that does not close: want at most that"},
	} {
		got, err := examples(c.name, strings.NewReader(c.file), c.t)
		wantError(t, err, c.err)
		if s := strings.Join(got, " ; "); s != c.want {
			t.Errorf("%q, %+v:\n %s\nwant\n %s", c.file, c.t, s, c.want)
		}
	}
	long := strings.Repeat("x", maxLine)
	if got, err := examples("a.txt", strings.NewReader(long+"\r\n"), none); err != nil || got[0] != "1 |"+long {
		t.Error("a line of the length that may be:", err)
	}
}

// Whatever pieces a file comes in, and a caller who has enough.
func TestReadExamplesPieces(t *testing.T) {
	file := "text,label\n\"rain,\n夜\",wet\nsun,dry\n"
	got, err := examples("a.csv", iotest.OneByteReader(strings.NewReader(file)), Table{})
	if err != nil || strings.Join(got, ";") != "2 wet|rain,\n夜;4 dry|sun" {
		t.Error(got, err)
	}
	broken := io.MultiReader(strings.NewReader(file), iotest.ErrReader(errors.New("broken pipe")))
	got, err = examples("a.csv", broken, Table{})
	wantError(t, err, "data: a.csv: line 5: broken pipe")
	if len(got) != 2 {
		t.Errorf("%d examples before the error, want 2", len(got))
	}
	for name, file := range map[string]string{"a.csv": file + file, "a.txt": file, "a.jsonl": `{"text":"a"}` + "\n" + `{`} {
		n := 0
		for _, err := range ReadExamples(name, strings.NewReader(file), Table{}) {
			if n++; err != nil {
				t.Error(err)
			}
			break
		}
		if n != 1 {
			t.Errorf("%s: %d examples, want the one", name, n)
		}
	}
}

func TestTableValidate(t *testing.T) {
	for _, c := range []struct {
		t   Table
		err string
	}{
		{Table{}, ""},
		{Table{Format: "xml"}, `data: format of a table "xml": want csv, tsv, jsonl, lines, idx or npz`},
		{Table{Text: "a", Values: []string{"b"}}, `data: a table with text in "a" and values in "b": want one of the two`},
		{Table{Format: "jsonl", NoHeader: true}, `data: no header, in a table of format jsonl: want csv or tsv`},
		{Table{NoHeader: true, Text: "1", Label: "none"}, ""},
		{Table{NoHeader: true, Values: []string{"*"}}, ""},
		{Table{NoHeader: true, Text: "said"}, `data: column "said" of a table without a header: want its number, from 1`},
		{Table{NoHeader: true, Label: "02"}, `data: column "02" of a table without a header: want its number, from 1`},
		{Table{Values: []string{""}}, `data: values in a column "": want its name or number`},
		{Table{Format: "jsonl", Values: []string{""}}, `data: values in a column "": want its name or number`},
		{Table{NoHeader: true, Label: "0"}, `data: column "0" of a table without a header: want its number, from 1`},
		{Table{Values: []string{"*", "a"}}, `data: values in "*" and other columns: want it alone`},
		{Table{Format: "jsonl", Values: []string{"a", "b"}}, `data: values of JSON lines in 2 fields, "a": want one`},
		{Table{Format: "lines", Label: "a"}, `data: columns in a table of format lines: want none, as it has no columns`},
		{Table{Format: "idx", Label: "none"}, ""},
	} {
		wantError(t, c.t.Validate(), c.err)
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]string{
		"a/b.csv": "csv", "B.TSV": "tsv", "c.jsonl": "jsonl", "c.ndjson": "jsonl", "d.txt": "lines",
		"train-images-idx3-ubyte.gz": "idx", "t10k-labels-idx1-ubyte": "idx", "-": "", "x.gz": "",
	} {
		if got, err := (Table{}).FormatOf(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
	if got, err := (Table{Format: "csv"}).FormatOf("-"); got != "csv" || err != nil {
		t.Error(got, err)
	}
}
