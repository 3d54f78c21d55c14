package output

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// record returns a log function and what it was called with, line by line.
func record() (log func(string), lines func() []string) {
	var mutex sync.Mutex
	var messages []string
	log = func(message string) {
		mutex.Lock()
		defer mutex.Unlock()
		messages = append(messages, strings.Split(message, "\n")...)
	}
	return log, func() []string {
		mutex.Lock()
		defer mutex.Unlock()
		return messages
	}
}

func run(t *testing.T, logging string, writes ...string) (*Capture, []string) {
	t.Helper()
	log, lines := record()
	capture := NewCapture(logging, log)
	for _, write := range writes {
		if _, err := capture.Stdout().Write([]byte(write)); err != nil {
			t.Fatal(err)
		}
	}
	capture.Close()
	return capture, lines()
}

func TestLinesAreLoggedWhereverTheWritesAreCut(t *testing.T) {
	_, lines := run(t, StdoutAndStderr, "on", "e\ntwo\r\n\nla", "st")
	if want := []string{"one", "two", "", "last"}; !slices.Equal(lines, want) {
		t.Errorf("logged %q, want %q", lines, want)
	}
}

func TestALongLineIsCutInTheLogOnly(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	capture, lines := run(t, Stdout, long, "\nshort\n")
	if len(lines) != 2 || len(lines[0]) > longestLine+64 || lines[1] != "short" {
		t.Errorf("logged %d lines, the first of %d bytes", len(lines), len(lines[0]))
	}
	if stdout, _ := capture.Text(); stdout != long+"\nshort" {
		t.Errorf("stdout has %d bytes, want %d", len(stdout), len(long)+len("\nshort"))
	}
}

func TestLoggingSelectsStreams(t *testing.T) {
	for logging, want := range map[string]int{Stdout: 1, StdoutAndStderr: 1, Stderr: 0, None: 0} {
		if _, lines := run(t, logging, "line\n"); len(lines) != want {
			t.Errorf("%s: logged %q", logging, lines)
		}
	}
}

func TestALogThatIsSlowLosesNothing(t *testing.T) {
	log, lines := record()
	release := make(chan struct{})
	capture := NewCapture(StdoutAndStderr, func(message string) {
		<-release
		log(message)
	})
	for i := range 1000 {
		_, _ = fmt.Fprintln(capture.Stdout(), i)
	}
	close(release)
	capture.Close()
	if got := lines(); len(got) != 1000 || got[999] != "999" {
		t.Errorf("logged %d lines", len(got))
	}
}

func TestMessagesAreBounded(t *testing.T) {
	got := join([]string{"aa", "bb", "cccccccc", "d"}, 5)
	if want := []string{"aa\nbb", "cccccccc", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAnErrorMasksStdinAndKeepsTheEnd(t *testing.T) {
	stdin := "the secret\n"
	capture, _ := run(t, None, strings.Repeat("-", 2*errorTail), "\ngot: the secret.\nthe end\n")
	cause := errors.New("status 1")
	err := capture.Error(cause, "cat", " on host", &stdin)
	text := err.Error()
	if !errors.Is(err, cause) || !strings.Contains(text, `status 1: running "cat" on host`) {
		t.Errorf("got %.80q", text)
	}
	if strings.Contains(text, "the secret") || !strings.HasSuffix(text, "got: [stdin].\nthe end\n") {
		t.Errorf("ends %q", text[len(text)-60:])
	}
	if len(text) > errorTail+200 {
		t.Errorf("has %d bytes", len(text))
	}
}

func TestASecretIsMaskedBeforeTheTextIsCut(t *testing.T) {
	stdin := strings.Repeat("0123456789", errorTail/5)
	capture, _ := run(t, None, stdin)
	if text := capture.Error(errors.New("x"), "cat", "", &stdin).Error(); strings.Contains(text, "0123456789") {
		t.Error("a part of stdin is in the error")
	}
}

func TestOutputThatIsNotTextBecomesText(t *testing.T) {
	capture, lines := run(t, StdoutAndStderr, "a\xffb\n")
	if stdout, _ := capture.Text(); stdout != "a\uFFFDb" || lines[0] != "a\uFFFDb" {
		t.Errorf("got %q and %q", stdout, lines)
	}
}
