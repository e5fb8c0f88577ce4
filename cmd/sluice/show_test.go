package main

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"sluice/look/picture"
	"sluice/model"
	"sluice/train"
)

func TestCurve(t *testing.T) {
	long := make([]train.Epoch, 160)
	for i := range long {
		x := float64(i)
		long[i] = train.Epoch{Epoch: i + 1, Loss: math.Log(1 + 1500*math.Exp(-x/12)), HeldOutLoss: math.Log(300 + x*x)}
	}
	for name, curve := range map[string][]train.Epoch{
		"long": long, "one": long[:1], "two": long[:2],
		"nothing held out": {{Epoch: 1, Loss: math.Log(8)}, {Epoch: 2, Loss: math.Log(7.99)}},
		"flat":             {{Epoch: 1, Loss: math.Log(1)}, {Epoch: 2, Loss: math.Log(1)}},
		"infinite":         {{Epoch: 1, Loss: math.Log(math.Inf(1)), HeldOutLoss: math.Log(1e300)}, {Epoch: 2, Loss: math.Log(math.MaxFloat64)}},
		"steep":            {{Epoch: 1, Loss: math.Log(1e30)}, {Epoch: 2, Loss: math.Log(1.01)}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := picture.Write(&b, ".png", curveOf("gru 256 on lyrics", gaugeOf(model.LM), curve, 1)); err != nil {
				t.Fatal(err)
			}
			image, err := png.Decode(&b)
			if err != nil {
				t.Fatal(err)
			}
			if got := image.Bounds().Size(); got.X != 1024 || got.Y != 640 {
				t.Errorf("size %v, want 1024 × 640", got)
			}
			if !bytes.Equal(drawn(t, curve), drawn(t, curve)) {
				t.Error("equal curves, other bytes")
			}
			d := xml.NewDecoder(bytes.NewReader(drawn(t, curve)))
			for {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func drawn(t *testing.T, curve []train.Epoch) []byte {
	var b bytes.Buffer
	if err := picture.Write(&b, ".svg", curveOf(`a <title> & "more"`, gaugeOf(model.LM), curve, 1)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// moment is a progress in the third epoch.
var moment = train.Progress{Epoch: 3, Update: 30, Updates: 100, Loss: math.Log(321.987), PerSecond: 12345.6, Left: 83 * time.Second}

func TestPlainProgress(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := &plain{w: &b, now: func() time.Time { return now }}
	p.event(train.Start{Task: model.LM, Epochs: 10, Updates: 100})
	p.event(train.Epoch{Epoch: 2, HeldOutLoss: math.Log(400)})
	for range 250 { // 25 s
		now = now.Add(100 * time.Millisecond)
		p.event(moment)
	}
	const line = "epoch 3/10, perplexity 322.0, 1m23s left, 12,345 tokens/s, held out 400.0\n"
	if b.String() != line+line {
		t.Errorf("%q, want two times %q", b.String(), line)
	}
}

// The line fits into the terminal, says the most important first, and is not
// written more often than an eye can see.
func TestLiveProgress(t *testing.T) {
	for _, width := range []int{16, 24, 40, 49, 50, 60, 80, 100} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		l := &live{w: &b, width: func() int { return width }, now: func() time.Time { return now }}
		l.event(train.Start{Task: model.LM, Epochs: 10, Updates: 100})
		for range 100 { // 1 s
			now = now.Add(10 * time.Millisecond)
			l.event(moment)
		}
		lines := strings.FieldsFunc(strings.ReplaceAll(b.String(), "\033[2K", ""), func(r rune) bool { return r == '\r' || r == '\n' })
		if len(lines) == 0 || len(lines) > 24 {
			t.Fatalf("width %d: %d lines", width, len(lines))
		}
		last := lines[len(lines)-1]
		text, _, _ := strings.Cut(last, "%")
		if !strings.HasPrefix(last, "epoch 3/10") || len(text) >= width {
			t.Errorf("width %d: %q", width, last)
		}
		if (width >= barFrom) != strings.Contains(last, "30%") {
			t.Errorf("width %d: %q", width, last)
		}
	}
}

func TestFormats(t *testing.T) {
	for got, want := range map[string]string{
		count(0): "0", count(999): "999", count(1000): "1,000", count(-1234567): "-1,234,567",
		plural(1, "epoch"): "1 epoch", plural(2000, "epoch"): "2,000 epochs",
		size(999): "999 bytes", size(1500): "1.5 kB", size(2_000_000): "2.0 MB", size(3e9): "3.0 GB",
		clock(420 * time.Millisecond): "0.4 s", clock(12 * time.Second): "12 s", clock(185 * time.Second): "3m05s", clock(3725 * time.Second): "1h02m",
		short(1.0234): "1.023", short(149.5): "149.5", short(2.5e9): "2.5e+09",
		quoted("分开"): "分开", quoted("the lock"): "'the lock'", quoted("it's"): `'it'\''s'`, quoted(""): "''",
		visible("a\n\tb\x1b[2Jc"):           "a  b [2Jc",
		oneLine("train: data: no\nwords"):   "no words",
		oneLine("m: model: safetensors: x"): "m: safetensors: x",
		safe("/tmp/The Time Machine.txt"):   "The-Time-Machine", safe("..txt"): "text", safe("诗.txt"): "诗", safe(".bashrc"): "bashrc", safe("a/.."): "text",
		beginning("  The lock is low"): "The lock", beginning("慢车停在一个很小的站"): "慢车停", beginning("once"): "once",
		beginning("Donaudampfschifffahrtsgesellschaft"): "Donaudampfschifffahr", beginning("  "): "",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
