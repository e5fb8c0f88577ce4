package data

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func showSeries(s *Series) string {
	return fmt.Sprintf("%v %v %v", s.Names, s.Values, s.Following(s.Len(), 2))
}

func TestReadSeries(t *testing.T) {
	last, linear := SeriesTable{Gaps: "last"}, SeriesTable{Gaps: "linear"}
	for _, c := range []struct {
		name, file string // lines apart by " ; "
		t          SeriesTable
		want, step string
	}{
		{"a.csv", `date,x,"y z" ; 2020-01-01 00:00:00,1,2 ; 2020-01-01 00:15:00, 3 ,-4e1`, SeriesTable{}, "[x y z] [1 2 3 -40] [2020-01-01 00:30:00 2020-01-01 00:45:00]", "15m0s"},
		{"a.tsv", "when\tx ; 2020-02-28\t1 ; 2020-02-29\t2", SeriesTable{}, "[x] [1 2] [2020-03-01 2020-03-02]", "24h0m0s"},
		{"a.csv", "Month,x ; 1949-11,1 ; 1949-12,2 ; 1950-01,3", SeriesTable{}, "[x] [1 2 3] [1950-02 1950-03]", "1 month"},
		{"a.csv", "day,x ; 2019-10-01,1 ; 2020-01-01,2", SeriesTable{}, "[x] [1 2] [2020-04-01 2020-07-01]", "3 months"},
		{"a.csv", "day,x ; 2019-12-31,1 ; 2020-01-31,2 ; 2020-02-29,3", SeriesTable{}, "[x] [1 2 3] [2020-03-31 2020-04-30]", "1 month"},
		{"a.csv", "day,x ; 2020-02-29,1 ; 2021-02-28,2", SeriesTable{}, "[x] [1 2] [2022-02-28 2023-02-28]", "12 months"},
		{"a.csv", "day,x ; 2020-01-31,1 ; 2020-02-01,2", SeriesTable{}, "[x] [1 2] [2020-02-02 2020-02-03]", "24h0m0s"},
		{"a.csv", "year,x ; 1949,1 ; 1950,2", SeriesTable{}, "[x] [1 2] [1951 1952]", "12 months"},
		{"a.csv", "a,x ; 1949,1 ; 1950,2", SeriesTable{Time: "a"}, "[x] [1 2] [1951 1952]", "12 months"},
		{"a.csv", "a,x ; 1949,1 ; 1950,2", SeriesTable{}, "[a x] [1949 1 1950 2] [1 2]", "0s"},
		{"a.csv", "x,t ; 1,1600000000 ; 2,1600000060", SeriesTable{Time: "2"}, "[x] [1 2] [1600000120 1600000180]", "1m0s"},
		{"a.csv", "time,x ; 2020-03-29T01:00:00+01:00,1 ; 2020-03-29T03:00:00+02:00,2", SeriesTable{}, "[x] [1 2] [2020-03-29T04:00:00+02:00 2020-03-29T05:00:00+02:00]", "1h0m0s"},
		{"a.csv", "time,x ; 2020-03-29T01:00:00.5Z,1 ; 2020-03-29T01:00:00.75Z,2", SeriesTable{}, "[x] [1 2] [2020-03-29T01:00:01Z 2020-03-29T01:00:01.25Z]", "250ms"},
		{"a.csv", "time,x ; 2020-03-29 01:00,1 ; 2020-03-29 02:00,2", SeriesTable{}, "[x] [1 2] [2020-03-29 03:00 2020-03-29 04:00]", "1h0m0s"},
		{"a.csv", "time,x,y ; 0,1,2 ; 5,3,4", SeriesTable{Time: "none", Values: []string{"y", "2"}}, "[y x] [2 1 4 3] [1 2]", "0s"},
		{"a.csv", "d,x,note ; 2020-01-01,1,rain ; 2020-01-02,2,", SeriesTable{Values: []string{"x"}}, "[x] [1 2] [2020-01-03 2020-01-04]", "24h0m0s"},
		{"a.csv", "d,x ; 1000-01-01,1 ; 1200-01-02,2 ; 1400-01-02,3 ; 1600-01-03,4", SeriesTable{}, "[x] [1 2 3 4] [1800-01-03 2000-01-04]", "1753176h0m0s"},
		{"a.csv", "x ; 1", SeriesTable{}, "[x] [1] [1 2]", "0s"},
		{"A.CSV", " ; x ;  ; 1", SeriesTable{Values: []string{}}, "[x] [1] [1 2]", "0s"},
		{"a.tsv", "x\ty ; 1\t2 ; \t ; 3\t4", last, "[x y] [1 2 1 2 3 4] [1 2]", "0s"},
		{"a.csv", "d,x ; 2020-10-30,1 ; 2020-11-30,2 ; 2020-12-30,3", SeriesTable{}, "[x] [1 2 3] [2021-01-30 2021-02-28]", "1 month"},
		{"a.csv", "d,x ; 2024-01-29,1 ; 2024-02-29,2", SeriesTable{}, "[x] [1 2] [2024-03-29 2024-04-29]", "1 month"},
		{"a.csv", "date,0,1 ; 2020-01-01,1,2 ; 2020-01-02,3,4", SeriesTable{}, "[0 1] [1 2 3 4] [2020-01-03 2020-01-04]", "24h0m0s"},
		{"a.jsonl", `{"x":1,"t":"2020-01-01","y":2} ; {"t":"2020-01-02","y":4,"x":3e0,"more":{}}`, SeriesTable{Time: "t"}, "[x y] [1 2 3 4] [2020-01-03 2020-01-04]", "24h0m0s"},
		{"a.jsonl", `{"t":"2020-01-01","x":1,"note":"rain"} ; {"t":"2020-01-02","x":2,"note":[]}`, SeriesTable{Values: []string{"x"}}, "[x] [1 2] [2020-01-03 2020-01-04]", "24h0m0s"},
		{"a.jsonl", `{"time":1600000000,"x":1} ; {"time":1600000001,"x":2}`, SeriesTable{}, "[x] [1 2] [1600000002 1600000003]", "1s"},

		// Gaps.
		{"a.csv", "d,x,y ; 2020-01-01,1,8 ; 2020-01-02,2,9 ; 2020-01-05,5,NaN ; 2020-01-06,6,", last, "[x y] [1 8 2 9 2 9 2 9 5 9 6 9] [2020-01-07 2020-01-08]", "24h0m0s"},
		{"a.csv", "d,x,y ; 2020-01-01,1,8 ; 2020-01-02,2,10 ; 2020-01-05,5,NA ; 2020-01-06,6,-2", linear, "[x y] [1 8 2 10 3 7 4 4 5 1 6 -2] [2020-01-07 2020-01-08]", "24h0m0s"},
		{"a.csv", "d,x ; 2020-01,1 ; 2020-04,4 ; 2020-05,5 ; 2020-06,6", linear, "[x] [1 2 3 4 5 6] [2020-07 2020-08]", "1 month"},
		{"a.csv", "d,x ; 2020-01-31,1 ; 2020-02-29,2 ; 2020-04-30,4", linear, "[x] [1 2 3 4] [2020-05-31 2020-06-30]", "1 month"},
		{"a.csv", "d,x ; 2020-01-01,1 ; 2020-01-04,4 ; 2020-01-06,6 ; 2020-01-07,7", linear, "[x] [1 2 3 4 5 6 7] [2020-01-08 2020-01-09]", "24h0m0s"},
		{"a.csv", "x,y ; 1,1 ; null,2 ; 2,3", linear, "[x y] [1 1 1.5 2 2 3] [1 2]", "0s"},
		{"a.jsonl", `{"x":1,"y":1} ; {"x":null,"y":2}`, last, "[x y] [1 1 1 2] [1 2]", "0s"},
	} {
		s, err := ReadSeries(c.name, strings.NewReader(strings.ReplaceAll(c.file, " ; ", "\n")), c.t)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if got := showSeries(s); got != c.want || s.Step.String() != c.step {
			t.Errorf("%s:\n %s, %s\nwant\n %s, %s", c.file, got, s.Step, c.want, c.step)
		}
		if s.Times != nil && (len(s.Times) != s.Len() || s.Time(s.Len()-1) != s.Times[s.Len()-1] || !s.Step.After(s.Times[0], s.Len()).Equal(s.Time(s.Len()))) {
			t.Errorf("%s: %d times of %d rows, %v", c.file, len(s.Times), s.Len(), s.Times)
		}
		if s.Times == nil && !s.Time(1).IsZero() {
			t.Errorf("%s: a time without times", c.file)
		}
	}
}

func TestReadSeriesErrors(t *testing.T) {
	last, linear := SeriesTable{Gaps: "last"}, SeriesTable{Gaps: "linear"}
	const fill = `or gaps to be filled by "last" or "linear"`
	for _, c := range []struct {
		file string // lines apart by " ; "
		t    SeriesTable
		err  string // behind the file's name
	}{
		{"", SeriesTable{}, "0 rows of numbers: want at least 1, or 2 with times"},
		{"d,x", SeriesTable{}, "0 rows of numbers: want at least 1, or 2 with times"},
		{"d,x ; 2020-01-01,1", SeriesTable{}, "1 rows of numbers: want at least 1, or 2 with times"},
		{"d,x ; 2020-01-01,1 ; 2020-01-01,2", SeriesTable{}, `line 3: column 1 ("d"): "2020-01-01" does not come after 2020-01-01 of the row before: want times in order, each once`},
		{"d,x ; 2020-01-02,1 ; 2020-01-01,2", last, `line 3: column 1 ("d"): "2020-01-01" does not come after 2020-01-02 of the row before: want times in order, each once`},
		{"d,x ; 2020-01-01 00:00,1 ; 2020-01-01 02:00,2 ; 2020-01-01 03:00,2 ; 2020-01-01 04:00,2", SeriesTable{}, "line 3: 2020-01-01 02:00 is 2h0m0s after the row before: want 1h0m0s, as most rows are, " + fill},
		{"d,x ; 2020-01-01 00:00,1 ; 2020-01-01 01:00,2 ; 2020-01-01 02:00,2 ; 2020-01-01 03:10,2", last, "line 5: 2020-01-01 03:10 is 1h10m0s after the row before: want 1h0m0s, as most rows are"},
		{"d,x ; 2020-01,1 ; 2020-02,2 ; 2020-03,2 ; 2021-01,2", last, "line 5: 2021-01 is 10 months after the row before: that is more missing rows of 1 month than the 4 that are there: want at most as many"},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,2 ; 2020-01-03,2 ; 9999-01-01,2", last, "line 5: 9999-01-01 is 2562047h47m16.854775807s after the row before, or more: want less"},
		{"d,x ; 1000-01-01,1 ; 2020-01-02,2", last, "line 3: 2020-01-02 is 2562047h47m16.854775807s after the row before, or more: want less"},
		{"d,x ; 2020-01-01,1 ; 2020-01-02 00:00,2", SeriesTable{}, `line 3: column 1 ("d"): "2020-01-02 00:00": want a time like 2006-01-02`},
		{"date,x ; 1.5,1", SeriesTable{}, `line 2: column 1 ("date"): "1.5": want a time, such as 2006-01-02 15:04:05, or another column for the times, or none`},
		{"time,x ; 1600000000,1 ; 2020,1", SeriesTable{}, `line 3: column 1 ("time"): "2020": want a time in Unix seconds of 9 or 10 digits`},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,NaN", SeriesTable{}, `line 3: column 2 ("x"): "NaN": want a number, ` + fill},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,", SeriesTable{Gaps: "error"}, `line 3: column 2 ("x"): "": want a number, ` + fill},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,Inf", last, `line 3: column 2 ("x"): "Inf": want a finite number`},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,1e39", last, `line 3: column 2 ("x"): "1e39": want a number within ±3.4e+38`},
		{"d,x ; 2020-01-01,1 ; 2020-01-02,rain", last, `line 3: column 2 ("x"): "rain": want a number`},
		{"d,x ; 2020-01-01,1 ; 2020-01-02", last, `line 3: 1 columns, and the first row has 2: want as many`},
		{"d,x ; 2020-01-01, ; 2020-01-02,1", last, `line 2, column 2 ("x"): a gap with no value before it: want one to fill it with`},
		{"d,x ; 2020-01-01, ; 2020-01-02,", last, `line 2, column 2 ("x"): a gap with no value before it: want one to fill it with`},
		{"d,x,y ; 2020-01-01,1,1 ; 2020-01-02,2,2 ; 2020-01-04,4,", linear, `line 4, column 3 ("y"): a gap with no value after it: want one to fill it with`},
		{"2020-01-01,1 ; 2020-01-02,2", SeriesTable{}, "line 1: no names but values: want a header"},
		{"1,2 ; 3,4", SeriesTable{}, "line 1: no names but values: want a header"},
		{"d,x ; 2020-01-01,1", SeriesTable{Time: "t"}, `line 1: no column "t": there are "d", "x"`},
		{"d,x ; 2020-01-01,1", SeriesTable{Values: []string{"y"}}, `line 1: no column "y": there are "d", "x"`},
		{"d,x ; 2020-01-01,1", SeriesTable{Values: []string{"d"}}, `line 1: column 1 ("d") is both times and values: want two columns`},
		{"d,x ; 2020-01-01,1", SeriesTable{Values: []string{"x", "2"}}, `line 1: values called "x" twice: want each name once`},
		{"d,x,x ; 2020-01-01,1,2", SeriesTable{}, `line 1: values called "x" twice: want each name once`},
		{"d,x, ; 2020-01-01,1,2", SeriesTable{}, `line 1: column 3 has no name: want one`},
		{"d ; 2020-01-01", SeriesTable{}, "line 1: no column of values: want at least one"},
		{"d,x ; 2020-01-01,\xff", SeriesTable{}, "line 2: byte 0xFF at byte column 12 is not UTF-8"},
		{"{} ", SeriesTable{Format: "jsonl"}, "line 1: an object without fields: want at least one"},
		{`{"x":1} ; {"y":1}`, SeriesTable{Format: "jsonl"}, "line 2: 0 fields of the first object, which has 1: want all, null where there is no value"},
		{`{"x":"1"}`, SeriesTable{Format: "jsonl"}, `line 1: column 1 ("x"): "\"1\"": want a number`},
		{`{"x":[1]}`, SeriesTable{Format: "jsonl"}, `line 1: column 1 ("x"): "[1]": want a number`},
		{`{"x":null}`, SeriesTable{Format: "jsonl"}, `line 1: column 1 ("x"): "null": want a number, ` + fill},
		{`{"x":NaN}`, SeriesTable{Format: "jsonl"}, `line 1: field "x": not JSON: invalid character 'N' looking for beginning of value`},
		{`{"t":"2020-01-01","x":1} ; {"t":7,"x":1}`, SeriesTable{Format: "jsonl"}, `line 2: column 1 ("t"): "7": want a time like 2006-01-02`},
	} {
		_, err := ReadSeries("a.csv", strings.NewReader(strings.ReplaceAll(c.file, " ; ", "\n")), c.t)
		wantError(t, err, "data: a.csv: "+c.err)
	}
	for _, name := range []string{"a.txt", "a.dat", "train-images-idx3-ubyte"} {
		_, err := ReadSeries(name, strings.NewReader(""), SeriesTable{})
		wantError(t, err, "data: "+name+": a name that tells no format of a series: want .csv, .tsv, .jsonl, .ndjson, .npz, or a format given")
	}
	_, err := ReadSeries("a.csv", strings.NewReader(""), SeriesTable{Format: "lines"})
	wantError(t, err, `data: format of a series "lines": want csv, tsv, jsonl or npz`)
	_, err = ReadSeries("a.csv", strings.NewReader(""), SeriesTable{Values: []string{"x", ""}})
	wantError(t, err, `data: values in a column "": want its name or number`)
	_, err = ReadSeries("a.csv", strings.NewReader(""), SeriesTable{Gaps: "zero"})
	wantError(t, err, `data: gaps "zero": want error, last or linear`)
}

// The zone of the machine is nothing to a series.
func TestSeriesZone(t *testing.T) {
	local := time.Local
	defer func() { time.Local = local }()
	const file = "t,x\n2021-01-31T23:00:00+01:00,1\n2021-02-28T23:00:00+01:00,2\n2021-03-31T23:00:00+01:00,3\n"
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("HERE", 3600)} {
		time.Local = zone
		s, err := ReadSeries("a.csv", strings.NewReader(file), SeriesTable{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Following(s.Len(), 1)[0]; got != "2021-04-30T23:00:00+01:00" || s.Times[0].Location().String() == "HERE" {
			t.Errorf("%s in %s", got, s.Times[0].Location())
		}
	}
}

// The published series of the project. They are not in it: SLUICE_MIRROR says where.
func TestPublishedSeries(t *testing.T) {
	for _, c := range []struct {
		name  string
		n, c  int
		step  Step
		next  string
		first []float64
	}{
		{"etth1/ETTh1.csv", 17420, 7, Step{Duration: time.Hour}, "2018-06-26 20:00:00", []float64{5.827000141143799, 2.009000062942505}},
		{"airline/airline-passengers.csv", 144, 1, Step{Months: 1}, "1961-01", []float64{112, 118}},
		{"airline/monthly-sunspots.csv", 2820, 1, Step{Months: 1}, "1984-01", []float64{58, 62.6}},
	} {
		s, err := ReadSeries(c.name, published(t, c.name), SeriesTable{})
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Len() != c.n || len(s.Names) != c.c || s.Step != c.step || s.Following(s.Len(), 1)[0] != c.next || !slices.Equal(s.Values[:2], c.first) {
			t.Errorf("%s: %d rows of %v, step %s, then %s, from %v", c.name, s.Len(), s.Names, s.Step, s.Following(s.Len(), 1)[0], s.Values[:2])
		}
	}
}
