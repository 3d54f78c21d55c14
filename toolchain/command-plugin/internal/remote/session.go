package remote

import (
	"context"
	_ "embed" // for kill.sh
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"

	"ha-lab/toolchain/command-plugin/internal/output"
)

const (
	// killLimit is how long ending a command may take: the 3 s of kill.sh, on a machine that is slow.
	killLimit = 10 * time.Second
	// A machine that was switched off never closes its connections. After keepaliveLimit without an
	// answer it counts as lost; a slow one has time enough.
	keepaliveInterval = 30 * time.Second
	keepaliveLimit    = 120 * time.Second

	previousStdout = "PULUMI_COMMAND_STDOUT"
	previousStderr = "PULUMI_COMMAND_STDERR"
)

//go:embed kill.sh
var killScript string

var errLost = errors.New("the connection was lost while the command ran")

// run executes command on the machine of the state's connection and returns what it wrote.
func (s *CommandState) run(ctx context.Context, command string) (*Outputs, error) {
	client, err := s.Connection.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	session, err := client.NewSession()
	if err != nil {
		return nil, fmt.Errorf("%s opens no session: %w", s.Connection, err)
	}
	defer func() { _ = session.Close() }()
	if err := s.setEnvironment(ctx, session); err != nil {
		return nil, err
	}
	capture := output.NewCapture(string(or(s.Logging, output.StdoutAndStderr)), p.GetLogger(ctx).InfoStatus)
	session.Stdout, session.Stderr = capture.Stdout(), capture.Stderr()
	err = execute(ctx, client, session, command, or(s.Stdin, ""))
	capture.Close()
	if err != nil {
		return nil, capture.Error(err, command, fmt.Sprintf(" on %s", s.Connection), s.Stdin)
	}
	stdout, stderr := capture.Text()
	return &Outputs{Stdout: stdout, Stderr: stderr}, nil
}

// setEnvironment sends the variables. One that was asked for and is refused is an error; the
// previous outputs are an offer.
func (s *CommandState) setEnvironment(ctx context.Context, session *ssh.Session) error {
	for name, value := range s.Environment {
		if err := session.Setenv(name, value); err != nil {
			return fmt.Errorf("could not set environment variable %q: %s accepts only names that its "+
				"sshd_config lists in AcceptEnv; list it there, or put the value on stdin: %w", name, s.Connection, err)
		}
	}
	if !or(s.AddPreviousOutputInEnv, true) {
		return nil
	}
	for name, value := range map[string]string{previousStdout: s.Stdout, previousStderr: s.Stderr} {
		if value == "" {
			continue
		}
		if err := session.Setenv(name, value); err != nil {
			p.GetLogger(ctx).Debugf("%s does not accept %s (AcceptEnv): %v", s.Connection, name, err)
		}
	}
	return nil
}

// execute runs command to its end, or to that of ctx or of the connection. It always waits for the
// command to end, unless killing it did not help.
func execute(ctx context.Context, client *ssh.Client, session *ssh.Session, command, input string) error {
	stdin, err := session.StdinPipe()
	if err == nil {
		err = session.Start(command)
	}
	if err != nil {
		return fmt.Errorf("cannot start the command: %w", err)
	}
	go func() {
		// A command may end without reading all of its input. That is no error; a session that did
		// this itself would make it one.
		_, _ = io.WriteString(stdin, input)
		_ = stdin.Close()
	}()
	ended := make(chan error, 1)
	go func() { ended <- session.Wait() }()
	alive, stop := context.WithCancel(ctx)
	defer stop()
	go keepAlive(alive, client)
	select {
	case err := <-ended:
		return clarify(err)
	case <-ctx.Done():
		kill(client, ended)
		return fmt.Errorf("cancelled, and the command was told to end: %w", context.Cause(ctx))
	}
}

// kill asks the command to end, then makes it. It uses a second session of the same connection: an SSH
// server passes no signals on to root's commands, nor to what runs by sudo.
func kill(client *ssh.Client, ended <-chan error) {
	// Whatever happens, the end of the connection breaks the command's pipes.
	defer time.AfterFunc(killLimit, func() { _ = client.Close() }).Stop()
	if session, err := client.NewSession(); err == nil {
		session.Stdin = strings.NewReader(killScript)
		_ = session.Run("exec sh -s") // exec, so that the script's parent is the SSH server
		_ = session.Close()
	}
	select {
	case <-ended:
	case <-time.After(time.Second):
	}
}

func clarify(err error) error {
	var missing *ssh.ExitMissingError
	if errors.As(err, &missing) {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return err
}

// keepAlive closes the connection of a machine that stopped answering, which ends the command's Wait.
func keepAlive(ctx context.Context, client *ssh.Client) {
	ticker := time.NewTicker(keepaliveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		timer := time.AfterFunc(keepaliveLimit, func() { _ = client.Close() })
		_, _, err := client.SendRequest("keepalive@openssh.com", true, nil)
		timer.Stop()
		if err != nil {
			return
		}
	}
}
