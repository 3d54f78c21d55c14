package remote

import "time"

const (
	firstPause = 100 * time.Millisecond
	// longestPause is short so that a machine that boots is noticed when it is ready.
	longestPause = time.Second
	// officialPause is the longest pause of the official plugin. dialErrorLimit is in dials, but people
	// chose theirs for how long it waits; so that time is kept, with more dials in it.
	officialPause = 5 * time.Second
	pauseFactor   = 1.5
	// hostKeyGrace is how long a wrong host key is forgiven: the first boot of a machine may make its
	// keys after its SSH server answers. No limit of dials extends it, because nothing else mends it.
	hostKeyGrace = 30 * time.Second
)

// nextPause is the pause after one of length pause.
func nextPause(pause, longest time.Duration) time.Duration {
	return min(time.Duration(float64(pause)*pauseFactor), longest)
}

// patience is how long the official plugin would wait between as many failed dials; negative means
// for ever.
func patience(dialErrorLimit int) time.Duration {
	if dialErrorLimit <= unlimited {
		return -1
	}
	total, pause := time.Duration(0), firstPause
	for range dialErrorLimit {
		total += pause
		pause = nextPause(pause, officialPause)
	}
	return total
}

// exhausted tells whether to give up after failures dials in elapsed time.
func exhausted(failures, limit int, elapsed time.Duration) bool {
	if limit <= unlimited {
		return false
	}
	return failures > limit && elapsed >= patience(limit)
}
