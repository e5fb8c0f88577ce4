package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"sluice/internal/measure"
)

// Each side of a comparison is a child process that speaks lines:
//
//	child   ready NAME VERSION             once, when it can be asked
//	driver  open TASK KEY=VALUE…           makes a case ready, and closes the last one
//	child   ok [work=N]                    work: operations or bytes of a call, of a limit
//	child   no REASON                      it has no function for this case
//	driver  run REPS MS                    measures until MS have passed, at least REPS samples
//	child   times NS…                      nanoseconds of a call, one for each sample
//	child   error REASON                   to either, if something went wrong
//
// A child is stopped by a signal while the others measure. So it keeps its own
// defaults, spinning threads among them, and takes no time from the others: a
// thread that spins after a call stands still until the child is asked again.
type child struct {
	cmd    *exec.Cmd
	in     io.Writer
	out    *bufio.Reader
	stderr bytes.Buffer
	name   string // and version
	gone   bool
}

// errUnsupported is wrapped by the error of a case that a child answers no to.
var errUnsupported = errors.New("unsupported")

// startChild starts a command and waits until it is ready. It dies with ctx,
// and with the driver: the calling goroutine must be locked to its thread.
func startChild(ctx context.Context, argv []string, threads int) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, argv[0], argv[1:]...)}
	c.cmd.Env = append(os.Environ(), "OMP_NUM_THREADS="+strconv.Itoa(threads))
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.cmd.Stderr = &c.stderr
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.in, c.out = in, bufio.NewReader(out)
	c.name, err = c.read("ready")
	if err != nil {
		c.close()
		return nil, err
	}
	return c, c.signal(syscall.SIGSTOP)
}

func (c *child) signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// close ends the child, stopped or not.
func (c *child) close() {
	c.gone = true
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

// ask wakes the child for one line and its answer.
func (c *child) ask(line, want string) (string, error) {
	if err := c.signal(syscall.SIGCONT); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c.in, line); err != nil {
		return "", c.died(err)
	}
	answer, err := c.read(want)
	if c.gone {
		return "", err
	}
	return answer, errors.Join(err, c.signal(syscall.SIGSTOP))
}

// read is what follows the verb want in the next line.
func (c *child) read(want string) (string, error) {
	line, err := c.out.ReadString('\n')
	if err != nil {
		return "", c.died(err)
	}
	return parseAnswer(line, want)
}

func parseAnswer(line, want string) (string, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch verb {
	case want:
		return rest, nil
	case "no":
		return "", fmt.Errorf("%w: %s", errUnsupported, rest)
	case "error":
		return "", errors.New(rest)
	}
	return "", fmt.Errorf("answer %.80q: want %s", line, want)
}

// died is the error of a child that has gone, with what it said last.
func (c *child) died(err error) error {
	c.close() // or stderr may still grow
	if said := gist(c.stderr.String()); said != "" {
		return errors.New(said)
	}
	return fmt.Errorf("the process ended: %w", err)
}

// gist is the line of a program's complaint that says most.
func gist(complaint string) string {
	lines := strings.Split(strings.TrimSpace(complaint), "\n")
	for _, line := range lines {
		if strings.Contains(strings.ToLower(line), "error") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// open makes a case ready. words are added for the child alone. It returns the
// work of a call, 0 where that is not for the child to say.
func (c *child) open(cs Case, words string) (work float64, err error) {
	answer, err := c.ask(strings.TrimSpace("open "+cs.String()+" "+words), "ok")
	if err != nil {
		return 0, err
	}
	if text, ok := strings.CutPrefix(answer, "work="); ok {
		return strconv.ParseFloat(text, 64)
	}
	return 0, nil
}

// run measures the open case and returns the median time of a call in seconds.
func (c *child) run(reps, ms int) (float64, error) {
	answer, err := c.ask(fmt.Sprintf("run %d %d", reps, ms), "times")
	if err != nil {
		return 0, err
	}
	return parseTimes(answer)
}

func parseTimes(text string) (float64, error) {
	var times []float64
	for word := range strings.FieldsSeq(text) {
		ns, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return 0, err
		}
		times = append(times, ns/1e9)
	}
	if len(times) == 0 {
		return 0, errors.New("no times")
	}
	return measure.Median(times), nil
}
