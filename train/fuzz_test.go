package train

import (
	"bytes"
	"testing"

	"sluice/model"
	"sluice/nn"
	"sluice/safetensors"
)

// FuzzCheckpoint reads checkpoints that are sealed but hold anything, and goes on
// from those that are taken.
func FuzzCheckpoint(f *testing.F) {
	c := saved()
	text := prepare(f, c, song)
	team := nn.NewTeam(1)
	f.Cleanup(team.Close)
	run, err := newRun(c, text, team, Options{})
	if err != nil {
		f.Fatal(err)
	}
	for range 3 {
		if _, err := run.update(0.01); err != nil {
			f.Fatal(err)
		}
	}
	metadata, tensors, err := run.contents()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(metadata[keyCheckpoint], "")
	f.Add(`{"version":"1","place":{"best":{"epoch":1}}}`, tensorState)
	f.Add(`{"version":"2"}`, "")
	f.Add("{}", "optimizer.m")
	f.Fuzz(func(t *testing.T, note, without string) {
		changed := map[string]string{keyCheckpoint: note}
		for k, v := range metadata {
			if k != keyCheckpoint {
				changed[k] = v
			}
		}
		var left []safetensors.Tensor
		for _, x := range tensors {
			if x.Name != model.CheckpointPrefix+without {
				left = append(left, x)
			}
		}
		var b bytes.Buffer
		if err := safetensors.WriteSealed(&b, changed, left); err != nil {
			return // metadata that no file can have
		}
		from, err := ReadCheckpoint(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			return
		}
		again, err := newRun(c, text, team, Options{From: from})
		if err != nil {
			return
		}
		if _, err := again.update(0.01); err != nil {
			t.Errorf("it is taken, and then: %v", err)
		}
		if _, _, err := again.contents(); err != nil {
			t.Errorf("it is taken, and cannot be saved: %v", err)
		}
	})
}
