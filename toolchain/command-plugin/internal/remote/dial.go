package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"golang.org/x/crypto/ssh"
)

// dialFunc opens a network connection to an address, directly or through a proxy.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dial connects to the machine, through its proxy if it has one. It tries again until the endpoint's
// limit, saying whom it waits for, and stops when ctx ends.
func (c *Connection) Dial(ctx context.Context) (*ssh.Client, error) {
	if c.Proxy == nil {
		return c.dial(ctx, (&net.Dialer{}).DialContext)
	}
	proxy, err := c.Proxy.dial(ctx, (&net.Dialer{}).DialContext)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	bastion := &bastion{endpoint: &c.Proxy.endpoint, client: proxy}
	client, err := c.dial(ctx, bastion.DialContext)
	if err != nil {
		bastion.drop()
		return nil, err
	}
	go func() {
		_ = client.Wait() // the proxy's connection lives as long as the one inside it
		bastion.drop()
	}()
	return client, nil
}

// dial tries to get a client for the endpoint until the limit of its errors.
func (e *endpoint) dial(ctx context.Context, network dialFunc) (*ssh.Client, error) {
	config, done, err := e.clientConfig()
	if err != nil {
		return nil, err
	}
	defer done()
	start, pause := time.Now(), firstPause
	for failures := 1; ; failures++ {
		client, err := e.dialOnce(ctx, network, config)
		if err == nil {
			return client, nil
		}
		elapsed := time.Since(start)
		if ctx.Err() != nil || fatal(err, elapsed) || exhausted(failures, e.dialErrorLimit(), elapsed) {
			return nil, giveUp(ctx, e, failures, elapsed, err)
		}
		p.GetLogger(ctx).InfoStatusf("waiting for %s since %.0f s: %v", e, elapsed.Seconds(), err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = nextPause(pause, longestPause)
	}
}

// dialOnce makes one attempt. The endpoint's timeout covers the whole of it, handshake included: a
// machine that accepts and then says nothing must not hold the deployment.
func (e *endpoint) dialOnce(ctx context.Context, network dialFunc, config *ssh.ClientConfig) (*ssh.Client, error) {
	if timeout := e.dialTimeout(); timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
		defer cancel()
	}
	connection, err := network(ctx, "tcp", e.address())
	if err != nil {
		return nil, explain(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = connection.Close() })
	transport, channels, requests, err := ssh.NewClientConn(connection, e.address(), config)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = connection.Close()
		return nil, explain(ctx, err)
	}
	return ssh.NewClient(transport, channels, requests), nil
}

// explain prefers the reason for which ctx ended to "use of closed connection".
func explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func fatal(err error, elapsed time.Duration) bool {
	var wrongKey *hostKeyError
	return errors.As(err, &wrongKey) && elapsed >= hostKeyGrace
}

func giveUp(ctx context.Context, e *endpoint, failures int, elapsed time.Duration, last error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("stopped waiting for %s after %.1f s: %w", e, elapsed.Seconds(), last)
	}
	return fmt.Errorf("cannot connect to %s, tried %d times in %.1f s: %w", e, failures, elapsed.Seconds(), last)
}
