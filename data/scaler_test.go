package data

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

func TestScaler(t *testing.T) {
	// By hand: 1, 2, 3, 6 have mean 3 and squares 4+1+0+9, so that the deviation of
	// all is √(14/4); that of a sample would be √(14/3).
	values := []float64{1, 0.1, 2, 0.1, 3, 0.1, 6, 0.1} // (4, 2)
	s := FitScaler(values, 2)
	if !slices.Equal(s.Mean, []float64{3, 0.1}) || !slices.Equal(s.Std, []float64{math.Sqrt(3.5), 1}) {
		t.Errorf("%+v", s)
	}
	scaled, back := make([]float32, 8), make([]float64, 8)
	s.Scale(scaled, values)
	if scaled[0] != float32(-2/math.Sqrt(3.5)) || scaled[4] != 0 || scaled[1] != 0 || scaled[7] != 0 {
		t.Errorf("scaled %v", scaled)
	}
	s.Unscale(back, scaled)
	for i, v := range values {
		if math.Abs(back[i]-v) > 1e-6 {
			t.Errorf("back %v, want %v", back, values)
			break
		}
	}
	b, err := json.Marshal(s)
	var read Scaler
	if err != nil || json.Unmarshal(b, &read) != nil || !slices.Equal(read.Std, s.Std) || string(b)[:9] != `{"mean":[` {
		t.Errorf("%s, %v", b, err)
	}
	if same := FitScaler([]float64{0.1, 0.1, 0.1}, 1); same.Mean[0] != 0.1 || same.Std[0] != 1 {
		t.Errorf("a constant whose sum is rounded: %+v", same)
	}
	if tiny := FitScaler([]float64{0, 1e-200}, 1); tiny.Validate() != nil || tiny.Std[0] != 1 {
		t.Errorf("squares that vanish: %+v", tiny)
	}
	for _, c := range []struct {
		s   Scaler
		err string
	}{
		{s, ""},
		{Scaler{}, "data: scaler of 0 means and 0 standard deviations: want one of each for every channel"},
		{Scaler{Mean: []float64{1}}, "data: scaler of 1 means and 0 standard deviations: want one of each for every channel"},
		{Scaler{[]float64{0, 1}, []float64{1, 0}}, "data: scaler of channel 2 with mean 1 and standard deviation 0: want finite numbers, the second above 0"},
		{Scaler{[]float64{math.NaN()}, []float64{1}}, "data: scaler of channel 1 with mean NaN and standard deviation 1: want finite numbers, the second above 0"},
		{Scaler{[]float64{0}, []float64{math.NaN()}}, "data: scaler of channel 1 with mean 0 and standard deviation NaN: want finite numbers, the second above 0"},
		{Scaler{[]float64{0}, []float64{math.Inf(1)}}, "data: scaler of channel 1 with mean 0 and standard deviation +Inf: want finite numbers, the second above 0"},
	} {
		wantError(t, c.s.Validate(), c.err)
	}
	wantPanic(t, "data: FitScaler: 3 values of 2 channels, want (N, C)", func() { FitScaler(make([]float64, 3), 2) })
	wantPanic(t, "data: FitScaler: 0 values of 2 channels, want (N, C)", func() { FitScaler(nil, 2) })
	wantPanic(t, "data: Scale: 4 numbers to 2, want (N, 2) both", func() { s.Scale(make([]float32, 2), make([]float64, 4)) })
	wantPanic(t, "data: Unscale: 3 numbers to 3, want (N, 2) both", func() { s.Unscale(make([]float64, 3), make([]float32, 3)) })
}

func TestForecast(t *testing.T) {
	f := Forecast{
		Names: []string{"x", `y,"`}, Times: []string{"2020-01", "2020-02"}, Mean: []float64{float64(float32(30.531)), 2, 3, math.NaN()},
		Levels: []float64{0.1, 0.95}, Quantiles: [][]float64{{10, 20, 30, 40}, {11, 21, 31, math.Inf(1)}},
	}
	if got, want := string(f.AppendCSV([]byte("a"))), "atime,x,x_q0.1,x_q0.95,\"y,\"\"\",\"y,\"\"_q0.1\",\"y,\"\"_q0.95\"\n"+
		"2020-01,30.531,10,11,2,20,21\n2020-02,3,30,31,,40,\n"; got != want {
		t.Errorf("csv\n%s\nwant\n%s", got, want)
	}
	if got, want := string(f.AppendJSONLines([]byte("a"))), `a{"time":"2020-01","x":30.531,"x_q0.1":10,"x_q0.95":11,"y,\"":2,"y,\"_q0.1":20,"y,\"_q0.95":21}`+"\n"+
		`{"time":"2020-02","x":3,"x_q0.1":30,"x_q0.95":31,"y,\"":null,"y,\"_q0.1":40,"y,\"_q0.95":null}`+"\n"; got != want {
		t.Errorf("json\n%s\nwant\n%s", got, want)
	}
	f = Forecast{Names: []string{"step", "x", "x_q0.5"}, Mean: []float64{1, 2, 3}, Levels: []float64{0.5}, Quantiles: [][]float64{{4, 5, 6}}}
	if got, want := string(f.AppendCSV(nil)), "step,step_2,step_q0.5,x,x_q0.5,x_q0.5_2,x_q0.5_q0.5\n1,1,4,2,5,3,6\n"; got != want {
		t.Errorf("csv\n%s\nwant\n%s", got, want)
	}
	f = Forecast{Names: []string{"x"}, Mean: []float64{1, 2}}
	if got, want := string(f.AppendCSV(nil)), "step,x\n1,1\n2,2\n"; got != want {
		t.Errorf("csv\n%s\nwant\n%s", got, want)
	}
	if got, want := string(f.AppendJSONLines(nil)), `{"step":1,"x":1}`+"\n"+`{"step":2,"x":2}`+"\n"; got != want {
		t.Errorf("json\n%s\nwant\n%s", got, want)
	}
	f.Levels = []float64{0.5}
	wantPanic(t, "data: Forecast: 2 means of 1 series at 0 times with 0 quantiles at 1 levels, want (H, C), (H) and as many of (H, C) as levels", func() { f.AppendCSV(nil) })
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	f()
}
