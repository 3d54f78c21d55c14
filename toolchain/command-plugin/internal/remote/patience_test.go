package remote

import (
	"testing"
	"time"
)

func TestTheDefaultLimitWaitsAsLongAsTheOfficialPlugin(t *testing.T) {
	if got := patience(defaultDialErrorLimit); got < 11*time.Second || got > 12*time.Second {
		t.Errorf("10 dials are %s of patience, want about 11.3 s", got)
	}
}

func TestAMachineThatBootsIsTriedEverySecond(t *testing.T) {
	pause := firstPause
	for range 100 {
		pause = nextPause(pause, longestPause)
	}
	if pause != longestPause {
		t.Errorf("the pause grows to %s, want %s", pause, longestPause)
	}
}

func TestExhausted(t *testing.T) {
	for _, test := range []struct {
		failures, limit int
		elapsed         time.Duration
		want            bool
	}{
		{failures: 1, limit: 0, elapsed: 0, want: true},
		{failures: 1, limit: 1, elapsed: time.Minute, want: false},
		{failures: 2, limit: 1, elapsed: 90 * time.Millisecond, want: false},
		{failures: 2, limit: 1, elapsed: 110 * time.Millisecond, want: true},
		{failures: 30, limit: 10, elapsed: 10 * time.Second, want: false},
		{failures: 30, limit: 10, elapsed: 12 * time.Second, want: true},
		{failures: 1000, limit: unlimited, elapsed: time.Hour, want: false},
	} {
		if got := exhausted(test.failures, test.limit, test.elapsed); got != test.want {
			t.Errorf("%+v: got %v", test, got)
		}
	}
}

func TestOnlyAWrongHostKeyIsFatalWithoutALimit(t *testing.T) {
	wrong := &hostKeyError{}
	if fatal(wrong, hostKeyGrace-time.Second) || !fatal(wrong, hostKeyGrace) {
		t.Error("a wrong host key is to be forgiven for the grace period only")
	}
}
