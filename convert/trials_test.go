package convert

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sluice/model"
	"sluice/nn"
	"sluice/rnn"
)

// A side with sizes of its own gets rows that are shorter than others, or a note says
// that it has none.
func TestRagged(t *testing.T) {
	m := modelOf(t, model.Spec{Task: model.Tag, Embed: 4, RNN: rnn.Config{Cell: "gru", Reset: rnn.ResetAfter, Biases: 2, Hidden: 3, Layers: 1, Direction: rnn.Forward}})
	for _, c := range []struct {
		steps, rows int
		want        string // of both trials
	}{{0, 0, "[4 11 1 11 7] [2 6 1 5]"}, {0, 2, "[4 11] [2 6]"}, {7, 0, "[2 7 1 7 4] [2 7 1 5]"}, {2, 1, "[1] [1]"}, {30, 1, "[9] [6]"}, {4, 7, "[1 4 1 4 2 1 4] [1 4 1 3 1 4 1]"}} {
		r := newDrawing(m, 1)
		r.steps, r.rows = c.steps, c.rows
		all := r.trials(false)
		a, b := all[len(all)-2], all[len(all)-1]
		if got := fmt.Sprint(a.batch.Lengths, b.batch.Lengths); got != c.want || a.left+b.left != "" || slices.Contains(a.batch.Targets[:a.batch.B], -1) {
			t.Errorf("%d steps, %d rows: lengths %s, want %s", c.steps, c.rows, got, c.want)
		}
	}
	r := newDrawing(m, 1)
	r.steps = 1
	s := &sluiceSide{m: m, p: m.Pack(), team: nn.NewTeam(1)}
	defer s.close()
	report, err := verify(t.Context(), m, s, r.trials(false), nil)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "ragged lengths: left out: all rows have one step") {
		t.Errorf("no note of ragged lengths among %s", notes)
	}
}
