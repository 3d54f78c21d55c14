// Package output captures what a command writes: whole for the resource's outputs, line by line for
// the engine's log, and as a bounded tail for an error.
package output

// The values of a command's logging input. It says which streams the engine's log shows and never
// affects the outputs. Not set means StdoutAndStderr.
const (
	Stdout          = "stdout"
	Stderr          = "stderr"
	StdoutAndStderr = "stdoutAndStderr"
	None            = "none"
)

// streams tells whether standard output and standard error are shown.
func streams(logging string) (stdout, stderr bool) {
	switch logging {
	case None:
		return false, false
	case Stdout:
		return true, false
	case Stderr:
		return false, true
	default:
		return true, true
	}
}
