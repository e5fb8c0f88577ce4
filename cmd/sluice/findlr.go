package main

import (
	"fmt"
	"text/tabwriter"

	"sluice/optim"
	"sluice/train"
)

// rateTest is from what trains nothing to what nothing stands, in so many updates
// that each decade has forty.
var rateTest = optim.RateTest{From: 1e-5, To: 100, Updates: 280}

// findRate prints how the loss goes as the learning rate rises.
func (c *trainCmd) findRate(e *env, j job) error {
	var p progress = silent{}
	if !c.Quiet && !c.JSON {
		p = newProgress(e.stderr)
	}
	p.event(train.Start{Task: j.config.Model.Task, Epochs: 1, Updates: rateTest.Updates})
	f, err := train.FindRate(e.ctx, j.config, j.data, rateTest, train.Options{Threads: j.threads, Observe: p.event})
	p.close()
	if f == nil || err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(e.stdout, f, "")
	}
	t := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "rate\t%s, smoothed\n", gaugeOf(j.config.Model.Task).name)
	for i := range f.Smooth {
		if i%10 == 0 || i == len(f.Smooth)-1 {
			fmt.Fprintf(t, "%.2g\t%s\n", f.Rates[i], gaugeOf(j.config.Model.Task).short(f.Smooth[i]))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "\nsteepest    %.2g   where the loss falls fastest\na tenth     %.2g   of the rate where it is lowest\n", f.Suggested.Steepest, f.Suggested.BestTenth)
	return err
}
