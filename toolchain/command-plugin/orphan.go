package main

import (
	"context"
	"os"
	"time"
)

const (
	parentInterval = 500 * time.Millisecond
	// orphanGrace is time for running commands to be ended on their machines (kill.sh takes 3 s).
	orphanGrace = 6 * time.Second
)

// endWithParent ends this process when the engine that started it is gone, killed for example. It
// cancels what runs first: the commands of a dead deployment must not meet those of the next one.
func endWithParent(cancel func(context.Context) error) {
	engine := os.Getppid()
	for os.Getppid() == engine {
		time.Sleep(parentInterval)
	}
	_ = cancel(context.Background())
	time.Sleep(orphanGrace)
	os.Exit(1)
}
