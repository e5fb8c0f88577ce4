package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"sluice/data"
	"sluice/internal/disk/disktest"
	"sluice/model"
)

// failing is Data that cannot be read at one place.
type failing struct {
	*Text
	at data.Cursor
}

type failingDealer struct {
	dealer
	at data.Cursor
}

var errDisk = errors.New("the disk is gone")

func (f failing) dealer(c Config) (dealer, error) {
	d, err := f.Text.dealer(c)
	return failingDealer{d, f.at}, err
}

func (d failingDealer) next() (model.Batch, error) {
	if d.Cursor() == d.at {
		return model.Batch{}, errDisk
	}
	return d.dealer.next()
}

// Data that cannot be read ends a run with that error, and what is kept goes on
// as if nothing had been, with minibatches added up and with a state that starts
// anew too.
func TestUnreadable(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"consecutive": func(*Config) {},
		"added up":    func(c *Config) { c.Accumulate = 2 },
		"random":      func(c *Config) { c.Batches.Sampling, c.Batches.Offset = "random", false },
	} {
		c := saved()
		change(&c)
		text := prepare(t, c, song)
		whole := disktest.New()
		if _, err := onDisk(t, whole, c, text); err != nil {
			t.Fatal(err)
		}
		for _, k := range []struct {
			at     data.Cursor
			err    string
			result bool
		}{
			{data.Cursor{}, "train: after update 0: the disk is gone", false},
			{data.Cursor{Batch: 3}, "", true},
			{data.Cursor{Epoch: 1}, "", true},
			{data.Cursor{Epoch: 1, Batch: 3}, "", true},
		} {
			m := disktest.New()
			result, err := onDisk(t, m, c, failing{text, k.at})
			if !errors.Is(err, errDisk) || k.err != "" && err.Error() != k.err || (result != nil) != k.result {
				t.Errorf("%s, %+v: result %v, error %v", name, k.at, result, err)
			}
			if log := string(m.Get(filepath.Join(dir, EventsFile))); !strings.Contains(log, `"status":"failed","error":"train: after update `) {
				t.Errorf("%s, %+v: log %s", name, k.at, log)
			}
			if _, err := onDisk(t, m, c, text); err != nil {
				t.Fatal(err)
			}
			if left(t, m) != left(t, whole) {
				t.Errorf("%s, %+v: gone on with, another model or log", name, k.at)
			}
		}
	}
}

// changing is a text that is another each time it is read.
type changing struct{ times *int }

func (c changing) Open() (io.ReadCloser, error) {
	*c.times++
	return data.String(strings.Repeat("ab", 100*(*c.times))).Open()
}

func TestPrepareChanging(t *testing.T) {
	_, err := Prepare(t.Context(), small(), changing{new(int)})
	wantError(t, err, "train: the text changed between its first reading and its second: want one that stays as it is")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Prepare(ctx, small(), data.String(song))
	wantError(t, err, "context canceled")
}

// A text held out is known by its digits and those of the other.
func TestHoldOut(t *testing.T) {
	c := small()
	c.Clean = data.Clean{Newlines: "space", MaxChars: 200}
	text := prepare(t, c, song)
	sum := sha256.Sum256([]byte(text.SHA256 + strings.ReplaceAll(song, "\n", " ")))
	if err := text.HoldOut(t.Context(), c, data.String(song)); err != nil {
		t.Fatal(err)
	}
	if text.SHA256 != hex.EncodeToString(sum[:]) || text.Vocab.Decode(symbols(t, text.HeldOut)) != strings.ReplaceAll(song, "\n", " ") {
		t.Errorf("%s, %d symbols", text.SHA256, text.HeldOut.Len())
	}
	wantError(t, text.HoldOut(t.Context(), c, data.String("on")), "train: a text to hold out beside 492 symbols of this one: want one of the two")
	text.HeldOut = data.Symbols{}
	wantError(t, text.HoldOut(t.Context(), c, data.String("o")), "train: a text of 1 symbols to hold out: want 2 or more")
	wantError(t, text.HoldOut(t.Context(), c, data.String("zoo")), `data: character "z" (U+007A) at line 1, column 1 is not among the 15 of the vocabulary`)
}

// One line in so many is held out, and bytes need no first reading.
func TestPrepareLines(t *testing.T) {
	c := small()
	c.Vocab.Kind, c.Split.Lines = "byte", 3
	text := prepare(t, c, song)
	defer text.Close()
	line := song[:strings.Index(song, "\n")+1]
	if got := text.Vocab.Decode(symbols(t, text.HeldOut)); got != strings.Repeat(line, 4) || text.Train.Len() != 8*len(line) {
		t.Errorf("held out %q, %d to train on", got, text.Train.Len())
	}
}
