// Command bench runs Sluice and its peers in turn on this machine and prints
// ratios: layers, whole training steps and single streams, beside oneDNN, ONNX
// Runtime and PyTorch and the machine's own limits. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == sluiceChild {
		exit(serveSluice(os.Stdin, os.Stdout))
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

type options struct {
	peers    []peer
	only     *regexp.Regexp
	threads  []int
	plan     plan
	python   string
	markdown string
	quick    bool
	list     bool
}

func parseOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	peers := flags.String("peers", "onednn,ort,torch", "the peers, of those that are here")
	only := flags.String("only", "", "only the cases whose name matches this regular expression; see -list")
	threads := flags.String("threads", "1,2", "numbers of threads")
	flags.IntVar(&o.plan.rounds, "rounds", 5, "rounds of each case")
	flags.IntVar(&o.plan.ms, "ms", 150, "milliseconds that each side measures in a round")
	flags.StringVar(&o.python, "python", "python3", "the Python that has torch and onnxruntime")
	flags.StringVar(&o.markdown, "markdown", "", "write the tables into this file, between its marks if it is there")
	flags.BoolVar(&o.quick, "quick", false, "a case of each kind, 2 rounds of 30 ms")
	flags.BoolVar(&o.list, "list", false, "print the names of the cases and measure nothing")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("argument %q: want none", flags.Arg(0))
	}
	o.plan.reps = 3
	if o.quick {
		o.plan = plan{rounds: 2, reps: 1, ms: 30}
	}
	if o.plan.rounds < 1 {
		return o, fmt.Errorf("-rounds %d: want 1 or more", o.plan.rounds)
	}
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.threads, err = parseThreads(*threads); err != nil {
		return o, err
	}
	o.peers, err = parsePeers(*peers)
	return o, err
}

func parseThreads(text string) (threads []int, err error) {
	for word := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-threads %q: want numbers from 1, as in 1,2", text)
		}
		threads = append(threads, n)
	}
	return threads, nil
}

func parsePeers(text string) (chosen []peer, err error) {
	for word := range strings.SplitSeq(text, ",") {
		if word == "" {
			continue
		}
		i := slices.IndexFunc(others, func(p peer) bool { return p.name == word })
		if i < 0 {
			return nil, fmt.Errorf("-peers %q: want some of onednn, ort, torch", word)
		}
		chosen = append(chosen, others[i])
	}
	return chosen, nil
}

// selected is the grid without the cases that -only leaves out.
func (o options) selected() (groups []Group) {
	for _, g := range Groups(o.threads, o.quick) {
		g.Cases = slices.DeleteFunc(g.Cases, func(c Case) bool { return !o.only.MatchString(c.Name()) })
		if len(g.Cases) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func run(ctx context.Context, o options) error {
	groups := o.selected()
	if len(groups) == 0 {
		return errors.New("-only leaves no case: -list has them all")
	}
	if o.list {
		return list(groups)
	}
	runtime.LockOSThread() // children die with the thread that starts them: see startChild
	w, err := newWorkshop(o.python)
	if err != nil {
		return err
	}
	defer w.close()
	b := &bench{ctx: ctx, workshop: w, commands: map[string][]string{}, children: map[seat]*child{}}
	defer b.close()
	names, err := b.gather(o.peers)
	if err != nil {
		return err
	}
	done, failed := b.groups(groups, sides(o.peers), o.plan)
	if len(done) == 0 {
		return failed
	}
	var tables []Table
	for _, m := range done {
		tables = append(tables, m.table(sides(o.peers)))
	}
	if average := means(done, o.threads, sides(o.peers)); len(average.Rows) > 1 {
		average.Text(os.Stdout)
		tables = append(tables, average)
	}
	if o.markdown == "" {
		return failed
	}
	var text strings.Builder
	text.WriteString(preface(names, o.plan))
	for _, t := range tables {
		t.Markdown(&text)
	}
	return errors.Join(failed, writeMarkdown(o.markdown, text.String()))
}

func list(groups []Group) error {
	for _, g := range groups {
		for _, c := range g.Cases {
			fmt.Println(c.Name())
		}
	}
	return nil
}

// gather makes Sluice, the limits and the peers available, and says in a line
// each which are missing. It returns the names of those that are here.
func (b *bench) gather(others []peer) (names []string, err error) {
	for _, p := range append([]peer{sluice, limits}, others...) {
		name, err := b.add(p)
		switch {
		case b.ctx.Err() != nil:
			return nil, b.ctx.Err()
		case err != nil && p.name == ours:
			return nil, err
		case err != nil:
			fmt.Fprintf(os.Stderr, "%s is missing: %v (to get it: %s)\n", p.name, err, p.hint)
		case p.name != limits.name:
			names = append(names, name)
		}
	}
	return names, nil
}

// groups measures one group after another and prints each as it is done. What
// was measured before an error it returns too.
func (b *bench) groups(groups []Group, sides []side, p plan) (done []measured, err error) {
	for _, g := range groups {
		m := measured{Group: g}
		for _, c := range g.Cases {
			r, failed := b.measure(c, sides, p)
			if err = failed; err != nil {
				break
			}
			if len(r.Rounds) == 0 || len(r.Rounds[0].Times) == 0 {
				continue
			}
			m.results = append(m.results, r)
			fmt.Fprintln(os.Stderr, m.brief(r, sides))
		}
		if len(m.results) > 0 {
			done = append(done, m)
			m.table(sides).Text(os.Stdout)
		}
		if err != nil {
			return done, err
		}
	}
	return done, nil
}
