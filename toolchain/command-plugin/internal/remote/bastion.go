package remote

import (
	"context"
	"fmt"
	"net"
	"sync"

	"golang.org/x/crypto/ssh"
)

// bastion dials through a proxy, to which it keeps one connection.
type bastion struct {
	endpoint *endpoint
	mutex    sync.Mutex
	client   *ssh.Client
}

// DialContext opens a connection from the proxy to address. If that fails, the next call connects to
// the proxy anew: a broken connection and an unreachable machine look the same from here.
func (b *bastion) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	client, err := b.connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	connection, err := client.DialContext(ctx, network, address)
	if err != nil {
		b.drop()
		return nil, fmt.Errorf("from proxy %s: %w", b.endpoint, err)
	}
	return connection, nil
}

func (b *bastion) connect(ctx context.Context) (*ssh.Client, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.client != nil {
		return b.client, nil
	}
	config, done, err := b.endpoint.clientConfig()
	if err != nil {
		return nil, err
	}
	defer done()
	client, err := b.endpoint.dialOnce(ctx, (&net.Dialer{}).DialContext, config)
	if err == nil {
		b.client = client
	}
	return client, err
}

func (b *bastion) drop() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.client != nil {
		_ = b.client.Close()
		b.client = nil
	}
}
