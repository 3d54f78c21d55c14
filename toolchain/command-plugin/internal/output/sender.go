package output

import "sync"

// longestMessage bounds how many bytes of waiting lines are sent as one message.
const longestMessage = 16 << 10

// sender passes lines on to log in the background. A message to the engine costs much more than a
// line costs the command, so lines that arrive while one is sent go together in the next: a command
// that prints much is not slowed down to the pace of the log.
type sender struct {
	log     func(string)
	mutex   sync.Mutex
	changed *sync.Cond
	waiting []string
	closed  bool
	done    chan struct{}
}

func newSender(log func(string)) *sender {
	s := &sender{log: log, done: make(chan struct{})}
	s.changed = sync.NewCond(&s.mutex)
	go s.run()
	return s
}

func (s *sender) send(line string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.waiting = append(s.waiting, line)
	s.changed.Signal()
}

// close returns when every line has been passed on.
func (s *sender) close() {
	s.mutex.Lock()
	s.closed = true
	s.changed.Signal()
	s.mutex.Unlock()
	<-s.done
}

func (s *sender) run() {
	defer close(s.done)
	for {
		s.mutex.Lock()
		for len(s.waiting) == 0 && !s.closed {
			s.changed.Wait()
		}
		lines := s.waiting
		s.waiting = nil
		s.mutex.Unlock()
		if len(lines) == 0 {
			return
		}
		for _, message := range join(lines, longestMessage) {
			s.log(message)
		}
	}
}

// join puts lines together to messages of at most limit bytes; a longer line is a message of its own.
func join(lines []string, limit int) []string {
	var messages []string
	for _, line := range lines {
		last := len(messages) - 1
		if last >= 0 && len(messages[last])+1+len(line) <= limit {
			messages[last] += "\n" + line
		} else {
			messages = append(messages, line)
		}
	}
	return messages
}
