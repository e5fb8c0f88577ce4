package data

import (
	"strings"
	"testing"
)

func TestReadObjects(t *testing.T) {
	for _, c := range []struct {
		file      string // lines apart by " ; "
		t         Table
		want, err string
	}{
		{`{"text":"rain","label":"wet"} ;  ; {"n":[{}],"label":-7,"text":"\u591c\n"}`, Table{}, "1 wet|rain ; 3 -7|夜\n", ""},
		{`{"values":[1,2.5,-3e0],"label":1} ; {"values":[4],"label":"x y"}`, Table{}, "1 1|[1 2.5 -3]/1 ; 2 x y|[4]/1", ""},
		{`{"values":[[1,2],[3,4]]} ; {"values":[ [ 5 , 6 ] ]}`, Table{}, "1 |[1 2 3 4]/2 ; 2 |[5 6]/2", ""},
		{`{"values":[[1],[2]]} ; {"values":[3]}`, Table{}, "1 |[1 2]/1 ; 2 |[3]/1", ""},
		{`{"a":"rain","b":"wet"}`, Table{Text: "a", Label: "b"}, "1 wet|rain", ""},
		{`{"a":[1],"text":"rain"}`, Table{Values: []string{"a"}}, "1 |[1]/1", ""},
		{`{"text":"rain","label":"wet"} ; {"text":"sun"}`, Table{Label: "none"}, "1 |rain ; 2 |sun", ""},
		{`{"text":"rain"} ; {"text":"sun","label":null}`, Table{}, "1 |rain ; 2 |sun", ""},

		{`{"text":"rain","label":"wet"} ; {"text":"sun"}`, Table{}, "1 wet|rain", `line 2: field "label" is missing`},
		{`{"text":"rain"}`, Table{Label: "kind"}, "", `line 1: field "kind" is missing`},
		{`{"label":"wet"}`, Table{}, "", `line 1: no field "text" or "values": want one of them, or another name given`},
		{`{"text":"rain","values":[1]}`, Table{}, "", `line 1: fields "text" and "values": want one of them, or to be told which`},
		{`{"text":"rain"} ; {"said":"sun"}`, Table{}, "1 |rain", `line 2: field "text" is missing`},
		{`{"text":null}`, Table{}, "", `line 1: field "text": null: want a string`},
		{`{"text":7}`, Table{}, "", `line 1: field "text": "7": want a string`},
		{`{"text":" "}`, Table{}, "", `line 1: field "text": empty: want a text`},
		{`{"text":"a","text":"b"}`, Table{}, "", `line 1: field "text": twice in one object: want it once`},
		{`{"text":"a","label":1.5}`, Table{}, "", `line 1: field "label": "1.5": want a string or a whole number`},
		{`{"text":"a","label":null}`, Table{}, "", `line 1: field "label": null: want a string or a whole number`},
		{`{"text":"a","label":["x"]}`, Table{}, "", `line 1: field "label": a list: want a string or a whole number`},
		{`{"text":"a","label":""}`, Table{}, "", `line 1: field "label": empty: want a label`},
		{`{"text":"a"}`, Table{Label: "text"}, "", `line 1: field "text" is both label and text: want two fields`},
		{`{"values":7}`, Table{}, "", `line 1: field "values": "7": want a list of numbers, or of lists of numbers`},
		{`{"values":[]}`, Table{}, "", `line 1: field "values": a sequence without values: want at least one number`},
		{`{"values":[[]]}`, Table{}, "", `line 1: field "values": step 1: a list without numbers: want at least one`},
		{`{"values":[1,null]}`, Table{}, "", `line 1: field "values": step 2: null: want a number`},
		{`{"values":[1,"2"]}`, Table{}, "", `line 1: field "values": step 2: a string: want a number`},
		{`{"values":[[1],[{}]]}`, Table{}, "", `line 1: field "values": step 2, channel 1: an object: want a number`},
		{`{"values":[[1,[2]]]}`, Table{}, "", `line 1: field "values": step 1, channel 2: a list: want a number`},
		{`{"values":[1,NaN]}`, Table{}, "", `line 1: field "values": not JSON: invalid character 'N' looking for beginning of value`},
		{`{"values":[1,1e40]}`, Table{}, "", `line 1: field "values": step 2: "1e40": want a number within ±3.4e+38`},
		{`{"values":[[1,2],[3]]}`, Table{}, "", `line 1: field "values": step 2: 1 channels, and step 1 has 2: want as many`},
		{`{"values":[1,[3]]}`, Table{}, "", `line 1: field "values": step 2: numbers beside lists of numbers: want one of the two`},
		{`{"values":[[1,2]]} ; {"values":[1]}`, Table{}, "1 |[1 2]/2", `line 2: field "values": 1 channels, and the first example has 2: want as many`},
		{`["text"]`, Table{}, "", `line 1: want a JSON object`},
		{`{"text":"a"`, Table{}, "", `line 1: JSON that ends too early`},
		{`{"text":"a`, Table{}, "", `line 1: field "text": JSON that ends too early`},
		{`{"text":"a"} {}`, Table{}, "", `line 1: more after the JSON object: want one object a line`},
		{`{"text":"a",}`, Table{}, "", `line 1: not JSON: invalid character '}' looking for beginning of object key string`},
		{"{\"text\":\"\xff\"}", Table{}, "", `line 1: byte 0xFF at byte column 10 is not UTF-8`},
	} {
		got, err := examples("a.jsonl", strings.NewReader(strings.ReplaceAll(c.file, " ; ", "\n")), c.t)
		if c.err != "" {
			c.err = "data: a.jsonl: " + c.err
		}
		wantError(t, err, c.err)
		if s := strings.Join(got, " ; "); s != c.want {
			t.Errorf("%s:\n %s\nwant\n %s", c.file, s, c.want)
		}
	}
	_, err := examples("a.jsonl", strings.NewReader("{}"), Table{Values: []string{"*"}})
	wantError(t, err, `data: values of JSON lines in 1 fields, "*": want one`)
}
