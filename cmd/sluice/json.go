package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"path/filepath"
	"time"

	"sluice/model"
	"sluice/train"
)

// jsonOutput writes one object a line. Times are in seconds.
type jsonOutput struct {
	w io.Writer
	job
	now   func() time.Time
	clear func()
	shown time.Time // the last progress
}

func (j *jsonOutput) event(event train.Event) {
	switch e := event.(type) {
	case train.Start:
		j.write(struct {
			Event string `json:"event"`
			train.Start
			Text    string       `json:"text"`
			Folder  string       `json:"folder"`
			Threads int          `json:"threads"`
			Config  train.Config `json:"config"`
		}{"start", e, j.source.shown, j.dir, j.threads, j.config})
	case train.Progress:
		if now := j.now(); now.Sub(j.shown) >= time.Second {
			j.shown = now
			j.write(struct {
				Event string `json:"event"`
				train.Progress
				Perplexity float64 `json:"perplexity,omitempty"`
				PerSecond  float64 `json:"tokens_per_second"`
				Left       float64 `json:"seconds_left"`
			}{"progress", e, j.perplexity(e.Loss), e.PerSecond, e.Left.Seconds()})
		}
	case train.Epoch:
		j.write(j.epoch(e))
	case train.Sample:
		j.write(struct {
			Event string `json:"event"`
			train.Sample
		}{"sample", e})
	case train.Skipped:
		j.write(struct {
			Event string `json:"event"`
			train.Skipped
		}{"skipped", e})
	case train.Warning:
		j.write(struct {
			Event   string `json:"event"`
			Warning string `json:"warning"`
		}{"warning", oneLine(e.Err.Error())})
	}
}

// jsonEpoch is an Epoch with its time.
type jsonEpoch struct {
	Event string `json:"event"`
	train.Epoch
	Perplexity        float64 `json:"perplexity,omitempty"` // of a language model
	HeldOutPerplexity float64 `json:"held_out_perplexity,omitempty"`
	PerSecond         float64 `json:"tokens_per_second"`
	Seconds           float64 `json:"seconds"`
}

func (j *jsonOutput) epoch(e train.Epoch) jsonEpoch {
	return jsonEpoch{"epoch", e, j.perplexity(e.Loss), j.perplexity(e.HeldOutLoss), e.PerSecond, e.Time.Seconds()}
}

// perplexity is that of a language model's loss, 0 of another or of none.
func (j *jsonOutput) perplexity(loss float64) float64 {
	if loss == 0 || j.config.Model.Task != model.LM {
		return 0
	}
	return finite(math.Exp(loss))
}

func (j *jsonOutput) end(o outcome) {
	h := o.result.Model.History
	end := struct {
		Event             string   `json:"event"`
		Status            string   `json:"status"` // "done", "interrupted", "diverged", "failed"
		Error             string   `json:"error,omitempty"`
		Epochs            int      `json:"epochs"` // done
		Epoch             int      `json:"epoch"`  // kept, 0: none was finished
		Kept              string   `json:"kept"`
		TrainLoss         float64  `json:"train_loss,omitempty"`
		HeldOutLoss       float64  `json:"held_out_loss,omitempty"`
		TrainPerplexity   float64  `json:"train_perplexity,omitempty"`
		HeldOutPerplexity float64  `json:"held_out_perplexity,omitempty"`
		TrainBits         float64  `json:"train_bits_per_symbol,omitempty"`
		HeldOutBits       float64  `json:"held_out_bits_per_symbol,omitempty"`
		FigureName        string   `json:"figure_name,omitempty"` // what the task is compared by
		HeldOutFigure     *float64 `json:"held_out_figure,omitempty"`
		HeldOut           any      `json:"held_out_score,omitempty"` // as eval gives it
		Test              any      `json:"test_score,omitempty"`
		Seconds           float64  `json:"seconds"`
		Files             []string `json:"files"`
	}{
		Event: "end", Status: "done", Epochs: len(o.result.Curve), Epoch: h.Epoch, Kept: h.Kept,
		Seconds: o.time.Seconds(),
	}
	switch {
	case errors.Is(o.stopped, train.ErrDiverged):
		end.Status, end.Error = "diverged", oneLine(o.stopped.Error())
	case errors.Is(o.stopped, context.Canceled):
		end.Status = "interrupted"
	case o.stopped != nil:
		end.Status, end.Error = "failed", oneLine(o.stopped.Error())
	}
	end.TrainLoss, end.HeldOutLoss = h.TrainLoss, h.HeldOutLoss
	end.TrainPerplexity, end.HeldOutPerplexity = j.perplexity(h.TrainLoss), j.perplexity(h.HeldOutLoss)
	if end.TrainPerplexity > 0 {
		end.TrainBits = h.TrainLoss / math.Ln2
	}
	if end.HeldOutPerplexity > 0 {
		end.HeldOutBits = h.HeldOutLoss / math.Ln2
	}
	if name := train.FigureName(j.config.Model.Task, o.result.Model.Scheme); name != "" && h.HeldOutSymbols > 0 && h.Epoch > 0 {
		end.FigureName, end.HeldOutFigure = name, &h.HeldOutFigure
	}
	if o.heldOut != nil {
		end.HeldOut = o.heldOut.json()
	}
	if o.test != nil {
		end.Test = o.test.json()
	}
	for _, name := range o.files {
		end.Files = append(end.Files, filepath.ToSlash(filepath.Join(o.dir, name)))
	}
	j.write(end)
}

// failed is the end of a run that left nothing.
func (j *jsonOutput) failed(err error) {
	status := "failed"
	switch {
	case errors.Is(err, train.ErrDiverged):
		status = "diverged"
	case errors.Is(err, context.Canceled):
		status = "interrupted"
	}
	j.write(struct {
		Event  string `json:"event"`
		Status string `json:"status"`
		Error  string `json:"error"`
	}{"end", status, oneLine(err.Error())})
}

func (j *jsonOutput) write(v any) {
	j.clear()
	writeJSON(j.w, v, "")
}

// writeJSON writes one value and a newline.
func writeJSON(w io.Writer, v any, indent string) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(v)
}
