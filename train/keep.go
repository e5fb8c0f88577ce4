package train

import (
	"math"

	"sluice/data"
	"sluice/model"
)

// wait tells what waits for scores to stop improving.
func (r *run) wait(e Epoch) {
	score := r.waiting(e)
	if r.c.Schedule.Kind == "plateau" {
		r.at.Falls.Score(score, r.c.Schedule.Patience)
	}
	if n := len(r.at.Curve) - r.c.Average; r.c.Average > 0 && !r.mean.Started() && n > 0 {
		before := math.Inf(1)
		for _, e := range r.at.Curve[:n] {
			before = min(before, r.waiting(e))
		}
		if score > before {
			r.mean.Start()
		}
	}
	if r.c.Patience > 0 {
		r.at.Ended = r.at.Patience.Score(r.keeping(e), r.c.Patience)
	}
}

// waiting is the score that the rate and the mean wait for, lower being better.
func (r *run) waiting(e Epoch) float64 {
	if r.data.about().HeldOut == 0 {
		return e.Loss
	}
	return r.heldOut(e)
}

// heldOut is the score on what is held out, lower being better: what the figure
// lacks of 1, where the task has one.
func (r *run) heldOut(e Epoch) float64 {
	if figured(r.model.Task) {
		return 1 - e.Figure
	}
	return e.HeldOutLoss
}

// figured says whether models of a task are compared by a figure of which more is
// better: the F1 of spans or the accuracy of tags, the macro F1 of labels.
func figured(task string) bool { return FigureName(task, "") != "" }

// keeping is the score by which weights are kept, lower being better.
func (r *run) keeping(e Epoch) float64 {
	switch r.keep {
	case KeepHeldOut:
		return r.heldOut(e)
	case KeepLast:
		return -float64(e.Epoch)
	}
	return e.Loss
}

// consider keeps the weights if the epoch is the best so far.
func (r *run) consider(e Epoch) bool {
	score := r.keeping(e)
	if b := &r.at.Best; b.Epoch == 0 || score < b.Score || score == b.Score && figured(r.model.Task) && e.HeldOutLoss < r.at.Curve[b.Epoch-1].HeldOutLoss {
		r.mean.Swap(r.model.Params)
		r.best = append(r.best[:0], r.model.Params...)
		r.mean.Swap(r.model.Params)
		*b = best{e.Epoch, e.Updates, score}
		return true
	}
	return false
}

// bestOf is by what held-out weights are kept.
func (r *run) bestOf(measure string) string {
	if name := FigureName(r.model.Task, r.model.Scheme); name != "" {
		return "the highest held-out " + name
	}
	return "the lowest held-out " + measure
}

// FigureName is what models of a task are compared by: see Epoch.Figure. It is ""
// for a task whose figure is its loss.
func FigureName(task string, scheme data.Scheme) string {
	switch {
	case task == model.Classify:
		return "macro F1"
	case task == model.Tag && scheme != "":
		return "F1"
	case task == model.Tag:
		return "accuracy"
	}
	return ""
}
