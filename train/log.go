package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"sluice/optim"
)

// logEvery is how many updates lie between two that the event log tells of.
const logEvery = 100

// logged is a Progress with the norms of the gradient's parts, after clipping.
type logged struct {
	Progress
	norms map[string]float64
}

var layerName = regexp.MustCompile(`_l([0-9]+)(_reverse)?$`)

// partOf is the part of a model that a tensor belongs to: "embed", "chars", "l0",
// "l0_reverse", "head".
func partOf(tensor string) string {
	if strings.HasPrefix(tensor, "chars.") {
		return "chars"
	}
	if m := layerName.FindStringSubmatch(tensor); m != nil {
		return "l" + m[1] + m[2]
	}
	part, _, _ := strings.Cut(tensor, ".")
	return part
}

// norms are those of the gradient, part by part.
func (r *run) norms() map[string]float64 {
	norms, at := map[string]float64{}, 0
	for _, t := range r.model.Tensors() {
		n := optim.Norm(r.team, r.grad[at:at+len(t.Data)])
		at += len(t.Data)
		part := partOf(t.Name)
		norms[part] = math.Hypot(norms[part], n)
	}
	return norms
}

// line is what the event log has of an event. What it says of times and speed
// differs from run to run, and nothing else.
func (r *run) line(event any) ([]byte, error) {
	elapsed := time.Since(r.began).Seconds()
	switch e := event.(type) {
	case Start:
		return json.Marshal(struct {
			Event string `json:"event"`
			Start
			Text identity `json:"text"`
		}{"start", e, r.data.about().identity})
	case logged:
		return json.Marshal(struct {
			Event string `json:"event"`
			Progress
			Norms     map[string]float64 `json:"gradient_norms"` // of each part, as the update takes it
			PerSecond float64            `json:"tokens_per_second"`
			Seconds   float64            `json:"seconds"`
		}{"progress", e.Progress, e.norms, e.PerSecond, elapsed})
	case Epoch:
		return json.Marshal(struct {
			Event string `json:"event"`
			Epoch
			PerSecond float64 `json:"tokens_per_second"`
			Seconds   float64 `json:"seconds"`
		}{"epoch", e, e.PerSecond, elapsed})
	case Sample:
		return json.Marshal(struct {
			Event string `json:"event"`
			Sample
		}{"sample", e})
	case Skipped:
		return json.Marshal(struct {
			Event string `json:"event"`
			Skipped
		}{"skipped", e})
	}
	return nil, fmt.Errorf("an event of type %T", event)
}

// ended is the last line of the event log: how the run ended.
type ended struct {
	Event   string  `json:"event"`
	Status  string  `json:"status"` // "done", "interrupted", "diverged", "failed"
	Error   string  `json:"error,omitempty"`
	Epoch   int     `json:"epoch"` // kept, 0: none was finished
	Seconds float64 `json:"seconds"`
}

// end writes the last line of the log. A run that goes on takes it away again.
func (r *run) end(err error) {
	f := r.o.Folder
	if f == nil {
		return
	}
	e := ended{Event: "end", Status: "done", Epoch: r.at.Best.Epoch, Seconds: time.Since(r.began).Seconds()}
	switch {
	case errors.Is(err, ErrDiverged):
		e.Status, e.Error = "diverged", err.Error()
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		e.Status = "interrupted"
	case err != nil:
		e.Status, e.Error = "failed", err.Error()
	}
	line, err := json.Marshal(e)
	if err == nil {
		err = f.log.add(line)
	}
	r.warn("the event log is not written", err)
}

// close ends the use of the folder.
func (r *run) close() {
	if f := r.o.Folder; f != nil {
		r.warn("the event log is not written", f.log.close())
	}
}
