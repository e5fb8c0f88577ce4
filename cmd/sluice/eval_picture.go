package main

import (
	"fmt"
	"path/filepath"

	"sluice/data"
	"sluice/look/picture"
	"sluice/metrics"
	"sluice/model"
	"sluice/nn"
)

// confusionOf is the picture of which labels are taken for which.
func confusionOf(s classScore, shown string) *picture.Confusion {
	f := &picture.Confusion{Title: fmt.Sprintf("%s: accuracy %.1f %%, macro F1 %.3f", shown, 100*s.Accuracy(), s.MacroF1()), Classes: s.Labels}
	for _, row := range s.Counts {
		f.Counts = append(f.Counts, row...)
	}
	return f
}

// draw draws into the run's folder which labels the model takes for which, or its
// forecast of the last steps, of what is for a test or else was held out.
func (o *outcome) draw(p *model.Packed, team *nn.Team) error {
	name, s := "held out of ", o.heldOut
	if o.test != nil {
		name, s = "test of ", o.test
	}
	var f picture.Picture
	var files []string
	switch s := s.(type) {
	case classScore:
		f, files = confusionOf(s, name+o.source.name), []string{"confusion.png", "confusion.svg"}
	case forecastScore:
		all, h := o.sets.series, p.Forecast.Horizon
		to := o.sets.ends[1]
		if o.test != nil {
			to = o.sets.ends[2]
		}
		caster, err := model.NewForecaster(p, team)
		if err != nil {
			return err
		}
		said, err := caster.Forecast(all.Values[:(to-h)*len(all.Names)])
		if err != nil {
			return err
		}
		f, files = forecastOf(p, said, all, to-h, fmt.Sprintf("%s: %d steps ahead, %s%s", named(o.result.Model), h, name, o.source.name)), []string{"forecast.png", "forecast.svg"}
	default:
		return nil
	}
	if f.Drawable() != nil { // too many labels or series
		return nil
	}
	for _, name := range files {
		if err := drawTo(filepath.Join(o.dir, name), f); err != nil {
			return err
		}
		o.files = append(o.files, name)
	}
	return nil
}

// forecastOf is the picture of a forecast from a step of series on, with what came
// of it as far as that is known.
func forecastOf(p *model.Packed, o model.Outlook, s *data.Series, from int, title string) *picture.Forecast {
	c, h := len(s.Names), p.Forecast.Horizon
	before := min(from, max(p.Forecast.Window, 2*h, p.Series.Season))
	f := &picture.Forecast{Title: title}
	if s.Times != nil {
		f.Times = append(f.Times, s.Times[from-before:from]...)
		for i := range h {
			f.Times = append(f.Times, s.Time(from+i))
		}
	}
	column := func(values []float64, k, first, last int) (x []float64) {
		for i := first; i < last; i++ {
			x = append(x, values[i*c+k])
		}
		return x
	}
	var seasonal []float64
	if season := p.Series.Season; season > 0 && from >= season {
		seasonal = metrics.SeasonalNaive(s.Values[:from*c], c, h, season)
	}
	q := p.Forecast.Quantiles
	for k, name := range s.Names {
		one := picture.Series{Name: name, History: column(s.Values, k, from-before, from), Mean: column(o.Mean, k, 0, h)}
		if known := min(h, s.Len()-from); known > 0 {
			one.Truth = column(s.Values, k, from, from+known)
		}
		for i := range len(q) / 2 {
			one.Bands = append(one.Bands, picture.Band{Label: bandName(q, i), Low: column(o.Quantiles[i], k, 0, h), High: column(o.Quantiles[len(q)-1-i], k, 0, h)})
		}
		if seasonal != nil {
			one.Others = append(one.Others, picture.Line{Name: "seasonal naive", Values: column(seasonal, k, 0, h)})
		}
		f.Series = append(f.Series, one)
	}
	return f
}
