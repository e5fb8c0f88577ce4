package data

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestPredicted(t *testing.T) {
	for _, c := range []struct {
		name, file string
		t          Table
		want       string
	}{
		{"a.csv", "text\r\nrain\r\n\"sun,\nsun\"", Table{}, "text,label\nrain,\"a,b\"\n\"sun,\nsun\",\"a,b\"\n"},
		{"a.csv", "text,label\nrain,wet\n", Table{}, "text,label,predicted\nrain,wet,\"a,b\"\n"},
		{"a.csv", "text,label,n\nrain,,\n", Table{Label: "none"}, "text,label,n,label_2\nrain,,,\"a,b\"\n"},
		{"a.csv", "text,kind,predicted\nrain,wet,x\n", Table{Label: "kind"}, "text,kind,predicted,predicted_2\nrain,wet,x,\"a,b\"\n"},
		{"a.csv", "rain,wet\n", Table{NoHeader: true}, "rain,wet,\"a,b\"\n"},
		{"a.tsv", "label\tv\tw\nx\t1\ny\t1\t2\n", Table{}, "label\tv\tw\tpredicted\nx\t1\t\ta,b\ny\t1\t2\ta,b\n"},
		{"a.csv", "label,v,w\nx,1\n\"y\",1,2,3\n", Table{}, "label,v,w,predicted\nx,1,,\"a,b\"\n\"y\",1,2,3,\"a,b\"\n"}, // longer than the header
		{"a.jsonl", `{"z": 1.50, "text":"<夜>"}` + "\n" + `{"text":"b","predicted":{},"a":[1, 2],"probability":7}`, Table{},
			`{"z":1.50,"text":"<夜>","predicted":"a,b","probability":0.75}` + "\n" + `{"text":"b","a":[1, 2],"predicted":"a,b","probability":0.75}` + "\n"},
		{"a.txt", "rain\tdrop\n", Table{}, "a,b\train drop\n"},
	} {
		var out []byte
		c.t.Keep = true
		for e, err := range ReadExamples(c.name, strings.NewReader(c.file), c.t) {
			if err != nil {
				t.Fatalf("%q: %v", c.file, err)
			}
			if out == nil {
				out = e.AppendHeader(out)
			}
			out = e.AppendPredicted(out, "a,b", 0.75)
		}
		if string(out) != c.want {
			t.Errorf("%q:\n%s\nwant\n%s", c.file, out, c.want)
		}
	}
}

// What is read to be learnt does not stay in memory twice.
func TestPredictedNotKept(t *testing.T) {
	for name, file := range map[string]string{"a.csv": "text,label\nrain,wet\n", "a.jsonl": `{"text":"rain"}`} {
		for e, err := range ReadExamples(name, strings.NewReader(file), Table{}) {
			if err != nil || e.raw != "" {
				t.Errorf("%s: %q is kept, %v", name, e.raw, err)
			}
			if got := string(e.AppendPredicted(e.AppendHeader(nil), "dry", 1)); got != "dry\train\n" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestPredictedByHand(t *testing.T) {
	e := Example{Text: "a\nb"}
	if got := string(e.AppendPredicted(e.AppendHeader(nil), "x\ty", 1)); got != "x y\ta b\n" {
		t.Errorf("%q", got)
	}
	e = Example{Values: []float32{1}, F: 1}
	if got := string(e.AppendPredicted(nil, "x", 1)); got != "x\n" {
		t.Errorf("%q", got)
	}
}

// A cell or a string comes back from a reader as it was.
func TestAppendCells(t *testing.T) {
	for _, s := range []string{"", "a", " a", "a ", "a,b", `a"b`, `"`, "a\nb", "夜", "<&>", "\u2028", "\x00", `\.`} {
		row, err := csv.NewReader(strings.NewReader(string(appendCSV(nil, s)) + ",x\n")).Read()
		if err != nil || row[0] != s {
			t.Errorf("csv %q: %q, %v", s, row, err)
		}
		var got string
		if err := json.Unmarshal(appendJSON(nil, s), &got); err != nil || got != s {
			t.Errorf("json %q: %q, %v", s, got, err)
		}
	}
	for v, want := range map[float64]string{0.1: "0.1", 1e-9: "1e-09", 1e30: "1e+30", math.Inf(1): "null"} {
		got := appendJSONNumber(nil, v, 64)
		if string(got) != want || !json.Valid(got) {
			t.Errorf("%v: %s", v, got)
		}
	}
}
