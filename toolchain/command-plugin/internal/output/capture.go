package output

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
)

const (
	errorTail    = 16 << 10 // bytes of output that an error shows: enough for a traceback, not for a dump
	errorCommand = 2 << 10  // bytes of the command's text that an error shows
	shortest     = 6        // a shorter standard input would match by accident
)

// Capture collects one run of a command. Stdout and Stderr may be written to at the same time.
type Capture struct {
	mutex          sync.Mutex
	stdout, stderr bytes.Buffer
	both           bytes.Buffer // in the order of arrival, for errors
	lines          []*lineWriter
	log            *sender
}

// NewCapture gives a capture that sends complete lines to log, for the streams that logging selects.
// Close it when the command has ended.
func NewCapture(logging string, log func(line string)) *Capture {
	c := &Capture{log: newSender(log)}
	stdout, stderr := streams(logging)
	c.lines = []*lineWriter{newLineWriter(stdout, c.log.send), newLineWriter(stderr, c.log.send)}
	return c
}

// Stdout is the writer for the command's standard output.
func (c *Capture) Stdout() io.Writer { return &stream{c, &c.stdout, c.lines[0]} }

// Stderr is the writer for the command's standard error.
func (c *Capture) Stderr() io.Writer { return &stream{c, &c.stderr, c.lines[1]} }

// Close logs what is left of an unfinished line, and returns when all is logged.
func (c *Capture) Close() {
	c.mutex.Lock()
	for _, line := range c.lines {
		line.flush()
	}
	c.mutex.Unlock()
	c.log.close()
}

// Text gives both streams whole, each without its last newline.
func (c *Capture) Text() (stdout, stderr string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return text(&c.stdout), text(&c.stderr)
}

// Error wraps cause with the command and the end of its output. What the command got on standard
// input is masked if the command printed it, because that is where secrets go.
func (c *Capture) Error(cause error, command, where string, stdin *string) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if len(command) > errorCommand {
		command = command[:errorCommand] + fmt.Sprintf(" [%d more bytes]", len(command)-errorCommand)
	}
	return fmt.Errorf("%w: running %q%s:\n%s", cause, command, where, tail(mask(valid(c.both.String()), stdin)))
}

func text(whole *bytes.Buffer) string {
	return valid(strings.TrimSuffix(whole.String(), "\n"))
}

// valid replaces what is not UTF-8: outputs, log and errors all travel as UTF-8, and one bad byte
// would lose the whole message.
func valid(text string) string {
	return strings.ToValidUTF8(text, "\uFFFD")
}

func tail(text string) string {
	extra := len(text) - errorTail
	if extra <= 0 {
		return text
	}
	return fmt.Sprintf("[%d bytes before]\n%s", extra, valid(text[extra:]))
}

func mask(text string, stdin *string) string {
	if stdin == nil {
		return text
	}
	if secret := strings.TrimSpace(*stdin); len(secret) >= shortest {
		return strings.ReplaceAll(text, secret, "[stdin]")
	}
	return text
}

// stream is one of the two writers of a Capture.
type stream struct {
	capture *Capture
	whole   *bytes.Buffer
	lines   *lineWriter
}

func (s *stream) Write(data []byte) (int, error) {
	s.capture.mutex.Lock()
	defer s.capture.mutex.Unlock()
	s.whole.Write(data)
	s.capture.both.Write(data)
	s.lines.write(data)
	return len(data), nil
}
