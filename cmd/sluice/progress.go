package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"sluice/train"
)

// progress shows how far a run is, on standard error.
type progress interface {
	event(train.Event)
	clear() // makes room for a line on the same terminal
	close()
}

// newProgress is a live line on a terminal, and else a line now and then.
func newProgress(w io.Writer) progress {
	if width := terminalWidth(w); width != nil {
		return &live{w: w, width: width, now: time.Now}
	}
	return &plain{w: w, now: time.Now}
}

// terminalWidth tells how many columns a terminal has that can write over a
// line; it is nil for any other writer.
func terminalWidth(w io.Writer) func() int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	}
}

// facts are what there is to say of a moment, the most important first.
func facts(p train.Progress, m gauge, epochs int, heldOut string) []string {
	f := []string{
		fmt.Sprintf("epoch %d/%d", p.Epoch, epochs),
		m.name + " " + m.short(p.Loss),
		clock(p.Left) + " left",
		count(int64(p.PerSecond)) + " " + m.per,
	}
	if heldOut != "" {
		f = append(f, "held out "+heldOut)
	}
	return f
}

// heldOutOf is how an epoch did on what is held out: by its figure, if it has one
// of that name.
func heldOutOf(e train.Epoch, m gauge, figure string) string {
	switch {
	case e.HeldOutLoss == 0:
		return ""
	case figure != "":
		return figure + " " + percentage(e.Figure)
	}
	return m.short(e.HeldOutLoss)
}

// live is one line that is written over again and again.
type live struct {
	w       io.Writer
	width   func() int // columns
	now     func() time.Time
	bar     *progressbar.ProgressBar
	shown   time.Time
	epochs  int
	gauge   gauge
	figure  string // its name, if models of the task have one
	heldOut string // after the last epoch
}

const (
	refresh  = 100 * time.Millisecond
	barSpace = 20 // columns left for the bar and its percentage
	barFrom  = 50 // columns of a terminal that gets a bar

	eraseLine = "\033[2K\r"
)

func (l *live) event(event train.Event) {
	switch e := event.(type) {
	case train.Start:
		l.epochs, l.gauge, l.figure = e.Epochs, gaugeOf(e.Task), e.Figure
		l.bar = progressbar.NewOptions(max(1, e.Updates),
			progressbar.OptionSetWriter(l.w), progressbar.OptionFullWidth(), progressbar.OptionUseANSICodes(true),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.ThemeASCII))
	case train.Epoch:
		l.heldOut = heldOutOf(e, l.gauge, l.figure)
	case train.Progress:
		if now := l.now(); now.Sub(l.shown) >= refresh {
			l.shown = now
			l.show(e)
		}
	}
}

func (l *live) show(p train.Progress) {
	width := l.width()
	room := width - 1
	if width >= barFrom {
		room = width - barSpace
	}
	text := ""
	for i, fact := range facts(p, l.gauge, l.epochs, l.heldOut) {
		if i > 0 {
			fact = "  " + fact
		}
		if len(text)+len(fact) > room {
			break
		}
		text += fact
	}
	if width < barFrom {
		fmt.Fprint(l.w, eraseLine+text)
	} else if l.bar.Set(p.Update) == nil { // an error: more updates than were foretold
		l.bar.Describe(text)
	}
}

func (l *live) clear() {
	fmt.Fprint(l.w, eraseLine)
	l.shown = time.Time{}
}

func (l *live) close() {
	if l.bar != nil {
		l.clear()
	}
}

// plain is a line every ten seconds, for logs.
type plain struct {
	w       io.Writer
	now     func() time.Time
	shown   time.Time
	epochs  int
	gauge   gauge
	figure  string
	heldOut string
}

const plainEvery = 10 * time.Second

func (p *plain) event(event train.Event) {
	switch e := event.(type) {
	case train.Start:
		p.epochs, p.gauge, p.figure, p.shown = e.Epochs, gaugeOf(e.Task), e.Figure, p.now()
	case train.Epoch:
		p.heldOut = heldOutOf(e, p.gauge, p.figure)
	case train.Progress:
		if now := p.now(); now.Sub(p.shown) >= plainEvery {
			p.shown = now
			fmt.Fprintln(p.w, strings.Join(facts(e, p.gauge, p.epochs, p.heldOut), ", "))
		}
	}
}

func (p *plain) clear() {}
func (p *plain) close() {}

// silent shows nothing.
type silent struct{}

func (silent) event(train.Event) {}
func (silent) clear()            {}
func (silent) close()            {}

// waiting shows how far a command is that takes more than a moment.
type waiting struct {
	status
	what  string
	now   func() time.Time
	began time.Time
	shown time.Time
}

func newWaiting(e *env, what string) *waiting {
	now, w := time.Now(), e.stderr
	if e.quiet {
		w = io.Discard
	}
	return &waiting{status: newStatus(w), what: what, now: time.Now, began: now, shown: now}
}

// progress is called with how much of what is done.
func (w *waiting) progress(done, total int) {
	every := plainEvery
	if w.width != nil {
		every = refresh
	}
	now := w.now()
	if total == 0 || now.Sub(w.began) < time.Second || now.Sub(w.shown) < every {
		return
	}
	w.shown = now
	if line := fmt.Sprintf("%s: %d %%", w.what, 100*done/total); w.width != nil {
		w.show("%s", line)
	} else {
		fmt.Fprintln(w.w, line)
	}
}
