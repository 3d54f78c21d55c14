package local

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	p "github.com/pulumi/pulumi-go-provider"

	"ha-lab/toolchain/command-plugin/internal/output"
)

// killGrace is how long a cancelled command may take to end by itself.
const killGrace = 3 * time.Second

// run executes command here and returns what it wrote and left.
func (s *CommandState) run(ctx context.Context, command string) (*Outputs, error) {
	arguments := append(s.interpreter(), command)
	process := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	process.Env = s.environment()
	if s.Dir != nil {
		process.Dir = *s.Dir
	}
	if s.Stdin != nil && *s.Stdin != "" {
		process.Stdin = strings.NewReader(*s.Stdin)
	}
	logging := output.StdoutAndStderr
	if s.Logging != nil {
		logging = string(*s.Logging)
	}
	capture := output.NewCapture(logging, p.GetLogger(ctx).InfoStatus)
	process.Stdout, process.Stderr = capture.Stdout(), capture.Stderr()
	endAsGroup(process)
	err := process.Run()
	capture.Close()
	if err != nil {
		return nil, capture.Error(err, command, "", s.Stdin)
	}
	outputs := &Outputs{}
	outputs.Stdout, outputs.Stderr = capture.Text()
	return outputs, s.collect(outputs)
}

func (s *CommandState) interpreter() []string {
	if len(s.Interpreter) > 0 {
		return append([]string(nil), s.Interpreter...)
	}
	return []string{"/bin/sh", "-c"}
}

func (s *CommandState) environment() []string {
	variables := os.Environ()
	for name, value := range s.Environment {
		variables = append(variables, fmt.Sprintf("%s=%s", name, value))
	}
	if s.AddPreviousOutputInEnv != nil && !*s.AddPreviousOutputInEnv {
		return variables
	}
	if s.Stdout != "" {
		variables = append(variables, previousStdout+"="+s.Stdout)
	}
	if s.Stderr != "" {
		variables = append(variables, previousStderr+"="+s.Stderr)
	}
	return variables
}

// endAsGroup makes the end of ctx reach what the command started too, first politely.
func endAsGroup(process *exec.Cmd) {
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.WaitDelay = 2 * killGrace
	process.Cancel = func() error {
		group := -process.Process.Pid
		time.AfterFunc(killGrace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		return syscall.Kill(group, syscall.SIGTERM)
	}
}
