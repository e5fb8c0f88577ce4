package convert

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed peers/peer.py
var peerScript string

// Python is an interpreter that runs models of other systems in the runtimes they
// are made for: it has numpy, and torch, onnxruntime or keras, whichever is asked
// for. It runs until Close.
type Python struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	errors *tail
	folder string // of inputs and outputs
	cancel context.CancelFunc
	wait   func() error // for its end, any number of times
}

// StartPython starts an interpreter, such as "python3". It is killed when ctx ends.
func StartPython(ctx context.Context, program string) (*Python, error) {
	folder, err := os.MkdirTemp("", "sluice-verify-")
	if err != nil {
		return nil, fmt.Errorf("convert: %w", err)
	}
	p := &Python{folder: folder, errors: &tail{}}
	ctx, p.cancel = context.WithCancel(ctx)
	p.cmd = exec.CommandContext(ctx, program, "-c", peerScript)
	p.cmd.Stderr = p.errors
	p.cmd.WaitDelay = time.Second
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.out = bufio.NewReader(out)
		p.in, err = p.cmd.StdinPipe()
	}
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.cancel()
		os.RemoveAll(folder)
		return nil, fmt.Errorf("convert: %s: %w", program, err)
	}
	p.wait = sync.OnceValue(p.cmd.Wait)
	return p, nil
}

// grace is how long an interpreter that has nothing more to do may take to end.
const grace = 5 * time.Second

// Close ends the interpreter.
func (p *Python) Close() error {
	p.in.Close()
	kill := time.AfterFunc(grace, p.cancel)
	err := p.wait()
	kill.Stop()
	p.cancel()
	return errors.Join(err, os.RemoveAll(p.folder))
}

// job is one run of a model on inputs: see peers/peer.py.
type job struct {
	Kind    string            `json:"kind"`
	File    string            `json:"file"`
	Inputs  string            `json:"inputs"`
	Outputs string            `json:"outputs"`
	Output  string            `json:"output"`          // the name of what the head says
	Task    string            `json:"task"`            // pytorch
	Code    string            `json:"code,omitempty"`  // pytorch: that has class Model
	Names   map[string]string `json:"names,omitempty"` // pytorch: our tensors to those of the file, "" for zeros
	Safe    bool              `json:"safe"`            // pytorch: the file is a safetensors one
	Steps   bool              `json:"steps"`           // keras: there is an output for each step
}

// run runs a job and says what ran it.
func (p *Python) run(j job, inputs arrays) (outputs arrays, runtime string, err error) {
	j.Inputs, j.Outputs = filepath.Join(p.folder, "inputs.npz"), filepath.Join(p.folder, "outputs.npz")
	if err := inputs.write(j.Inputs); err != nil {
		return nil, "", fmt.Errorf("convert: %w", err)
	}
	line, err := json.Marshal(j)
	if err != nil {
		return nil, "", fmt.Errorf("convert: %w", err)
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return nil, "", p.died(err)
	}
	answered, err := p.out.ReadBytes('\n')
	if err != nil {
		return nil, "", p.died(err)
	}
	var answer struct{ Runtime, Error string }
	if err := json.Unmarshal(answered, &answer); err != nil {
		return nil, "", fmt.Errorf("convert: %s answers %.200q", p.cmd.Path, answered)
	}
	if answer.Error != "" {
		return nil, "", fmt.Errorf("convert: %s: %.300s", p.cmd.Path, answer.Error)
	}
	outputs, err = readArrays(j.Outputs)
	return outputs, answer.Runtime, err
}

// died is the error of an interpreter that ended, by the last it said.
func (p *Python) died(err error) error {
	p.cancel()
	p.wait() // then all that it said is there
	if said := p.errors.last(); said != "" {
		return fmt.Errorf("convert: %s: %.300s", p.cmd.Path, said)
	}
	return fmt.Errorf("convert: %s ended: %w", p.cmd.Path, err)
}

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	const most = 4096
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-most):]
	return len(b), nil
}

// last is the last line.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return lines[len(lines)-1]
}
