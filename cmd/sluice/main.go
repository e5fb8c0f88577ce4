// Command sluice trains gated recurrent networks: language models, taggers,
// classifiers, forecasters. It scores and uses them, shows what is in a model file,
// makes smaller ones of it, and measures what this machine takes for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit statuses.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed standard output is an error of its writer, and must not end a training
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // nohup wants a closed terminal to mean nothing
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

type cli struct {
	Train    trainCmd    `cmd:"" help:"Train a model: of language, to tag, to classify, to forecast."`
	Runs     runsCmd     `cmd:"" help:"List runs, or compare those named."`
	Eval     evalCmd     `cmd:"" help:"Score a model on data: perplexity, accuracy and F1, errors of forecasts."`
	Predict  predictCmd  `cmd:"" help:"Tag sentences, classify sequences, forecast series."`
	Generate generateCmd `cmd:"" help:"Write text with a model."`
	Inspect  inspectCmd  `cmd:"" help:"Show what a model file holds and how it was trained."`
	Bench    benchCmd    `cmd:"" help:"Measure this machine: layers, a model of yours, or what the processor can do."`
	Quantize quantizeCmd `cmd:"" help:"Make a model smaller and faster: weights of bf16 or int8."`
	Import   importCmd   `cmd:"" help:"Make a model of one from PyTorch, ONNX or Keras."`
	Export   exportCmd   `cmd:"" help:"Write a model for PyTorch or ONNX."`
	Verify   verifyCmd   `cmd:"" help:"Compare two models, or one and another runtime, by what they make of the same inputs."`
	Data     dataCmd     `cmd:"" help:"List, fetch and show data by name."`
	Version  versionCmd  `cmd:"" help:"Show the version of this program."`
}

// env is what a command gets from the outside.
type env struct {
	ctx    context.Context
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	quiet  bool // no progress is shown
	screen bool // standard output is a terminal
}

// run is the program: it returns the exit status and panics for nobody.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	defer func() {
		if p := recover(); p != nil {
			status = complain(stderr, fmt.Errorf("this is a mistake in the program, please report it: %v", p))
		}
	}()
	out := &sticky{w: stdout}
	e := &env{ctx: ctx, stdin: stdin, stdout: out, stderr: stderr, screen: terminalWidth(stdout) != nil}
	err := e.run(args)
	switch {
	case out.err == nil || err != nil && !errors.Is(err, out.err):
	case closedPipe(out.err):
		return exitOK
	default:
		err = fmt.Errorf("standard output: %w", cause(out.err))
	}
	return complain(stderr, err)
}

func (e *env) run(args []string) error {
	exited := false
	var c cli
	parser, err := e.parser(&c, kong.Exit(func(int) { exited = true }))
	if err != nil {
		return err
	}
	k, err := parser.Parse(gathered(args, parser.Model.Node))
	if exited { // after --help
		return nil
	}
	if err != nil {
		if len(args) > 0 && err.Error() == "unexpected argument "+args[0] {
			return usage("%w: want train, runs, eval, predict, generate, inspect, bench, quantize, import, export, verify, data or version", err)
		}
		return usage("%w", err)
	}
	return k.Run(e)
}

func (e *env) parser(c *cli, more ...kong.Option) (*kong.Kong, error) {
	return kong.New(c, append([]kong.Option{
		kong.Name("sluice"),
		kong.Description("Train, look inside and use gated recurrent networks. `sluice train` alone trains on the built-in lyrics."),
		kong.NamedMapper("choice", kong.MapperFunc(decodeChoice)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		kong.Writers(e.stdout, e.stderr),
	}, more...)...)
}

// gathered puts the arguments of a command that stand between flags together, as
// kong wants them.
func gathered(args []string, command *kong.Node) []string {
	at := 0
	for ; at < len(args); at++ {
		i := slices.IndexFunc(command.Children, func(n *kong.Node) bool { return n.Name == args[at] })
		if i < 0 {
			break
		}
		command = command.Children[i]
	}
	if command.DefaultCmd != nil {
		command = command.DefaultCmd
	}
	takesValue := func(flag string) bool {
		for _, flags := range command.AllFlags(false) {
			for _, f := range flags {
				if flag == "--"+f.Name || flag == "-"+string(f.Short) {
					return !f.IsBool()
				}
			}
		}
		return false
	}
	var flags, others []string
	stretches, within := 0, false // of others
	for i := at; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			others = append(others, args[i+1:]...)
			stretches, i = stretches+1, len(args)
		case strings.HasPrefix(arg, "-") && arg != "-":
			if flags, within = append(flags, arg), false; takesValue(arg) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		default:
			if others = append(others, arg); !within {
				stretches++
			}
			within = true
		}
	}
	if stretches < 2 {
		return args
	}
	return slices.Concat(args[:at], flags, []string{"--"}, others)
}

// usageError is the error of a command line that cannot be.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// interrupted is the error of a command that a signal ended.
type interrupted struct{ error }

// complain says what went wrong in one line and returns the exit status.
func complain(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	status := exitFailed
	var stopped interrupted
	var wrong usageError
	switch {
	case errors.As(err, &stopped):
		status = exitInterrupted
	case errors.Is(err, context.Canceled):
		status, err = exitInterrupted, errors.New("interrupted")
	case errors.As(err, &wrong):
		status = exitUsage
	}
	fmt.Fprintln(stderr, "sluice:", oneLine(err.Error()))
	return status
}

// oneLine drops the package that an error of this module begins with, and
// whatever would break the line.
func oneLine(text string) string {
	for again := true; again; {
		again = false
		for _, p := range []string{"data", "datasets", "look", "model", "nn", "optim", "picture", "rnn", "train"} {
			var cut bool
			text, cut = strings.CutPrefix(text, p+": ")
			again = again || cut
		}
	}
	for _, p := range []string{"data", "model", "train"} { // one that a path stands before
		text = strings.ReplaceAll(text, ": "+p+": ", ": ")
	}
	return visible(text)
}

// sticky remembers the first error of its writer and writes nothing after it.
type sticky struct {
	w   io.Writer
	err error
}

func (s *sticky) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.w.Write(b)
	s.err = err
	return n, err
}

// closedPipe says whether the reader of a pipe has gone, which is no error.
func closedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, syscall.Errno(109)) && windows || errors.Is(err, syscall.Errno(232)) && windows
}

// cause drops the operation and the path that the message names already.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
