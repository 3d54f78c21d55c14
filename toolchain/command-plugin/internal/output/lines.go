package output

import (
	"bytes"
	"fmt"
)

// longestLine is how much of a line the log shows. A command that draws a progress bar or prints an
// archive makes lines of any length; none may stop the reading, or the command would block for ever.
const longestLine = 4 << 10

// lineWriter turns bytes into calls of log, one for each line.
type lineWriter struct {
	show bool
	log  func(string)
	line []byte
	cut  int // bytes of the current line that were dropped
}

func newLineWriter(show bool, log func(string)) *lineWriter {
	return &lineWriter{show: show, log: log}
}

func (w *lineWriter) write(data []byte) {
	if !w.show {
		return
	}
	for {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			w.add(data)
			return
		}
		w.add(data[:end])
		w.emit()
		data = data[end+1:]
	}
}

func (w *lineWriter) add(data []byte) {
	room := longestLine - len(w.line)
	if room < len(data) {
		w.cut += len(data) - room
		data = data[:room]
	}
	w.line = append(w.line, data...)
}

func (w *lineWriter) emit() {
	text := valid(string(bytes.TrimSuffix(w.line, []byte("\r"))))
	if w.cut > 0 {
		text += fmt.Sprintf(" [%d more bytes]", w.cut)
	}
	w.log(text)
	w.line, w.cut = w.line[:0], 0
}

func (w *lineWriter) flush() {
	if len(w.line) > 0 {
		w.emit()
	}
}
