// Package remote holds the resources that act on another machine by SSH.
package remote

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/pulumi/pulumi-go-provider/infer"
)

const (
	defaultUser           = "root"
	defaultPort           = 22
	defaultDialErrorLimit = 10
	defaultPerDialTimeout = 15 // seconds
	unlimited             = -1
)

// endpoint is what a connection and its proxy have in common.
type endpoint struct {
	User               *string  `pulumi:"user,optional"`
	Password           *string  `pulumi:"password,optional"`
	Host               *string  `pulumi:"host"`
	Port               *float64 `pulumi:"port,optional"`
	PrivateKey         *string  `pulumi:"privateKey,optional"`
	PrivateKeyPassword *string  `pulumi:"privateKeyPassword,optional"`
	AgentSocketPath    *string  `pulumi:"agentSocketPath,optional"`
	DialErrorLimit     *int     `pulumi:"dialErrorLimit,optional"`
	PerDialTimeout     *int     `pulumi:"perDialTimeout,optional"`
	HostKey            *string  `pulumi:"hostKey,optional"`
}

// Connection says how to reach a machine.
type Connection struct {
	endpoint
	Proxy *ProxyConnection `pulumi:"proxy,optional"`
}

// ProxyConnection says how to reach the bastion that a machine is behind.
type ProxyConnection struct{ endpoint }

// Annotate sets descriptions and defaults.
func (c *Connection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach a machine by SSH.")
	a.Describe(&c.Proxy, "How to reach the bastion that the machine is behind.")
	annotate(a, &c.endpoint)
}

// Annotate sets descriptions and defaults.
func (c *ProxyConnection) Annotate(a infer.Annotator) {
	a.Describe(&c, "How to reach a bastion by SSH.")
	annotate(a, &c.endpoint)
}

func annotate(a infer.Annotator, e *endpoint) {
	a.Describe(&e.User, "The user to log in as.")
	a.SetDefault(&e.User, defaultUser)
	a.Describe(&e.Password, "The user's password.")
	a.Describe(&e.Host, "The machine's name or address.")
	a.Describe(&e.Port, "The port of its SSH server.")
	a.SetDefault(&e.Port, defaultPort)
	a.Describe(&e.PrivateKey, "The text of a private key. It is preferred to the password.")
	a.Describe(&e.PrivateKeyPassword, "The password of the private key.")
	a.Describe(&e.AgentSocketPath, "The socket of an SSH agent; SSH_AUTH_SOCK if not set.")
	a.Describe(&e.DialErrorLimit, "How many failed dials to accept; -1 for any number.")
	a.SetDefault(&e.DialErrorLimit, defaultDialErrorLimit)
	a.Describe(&e.PerDialTimeout, "Seconds for one dial; 0 for any time.")
	a.SetDefault(&e.PerDialTimeout, defaultPerDialTimeout)
	a.Describe(&e.HostKey, "The host key to expect, as in an authorized_keys file. Without it any key is accepted.")
}

func (e *endpoint) user() string { return or(e.User, defaultUser) }

func (e *endpoint) address() string {
	port := int(or(e.Port, defaultPort))
	return net.JoinHostPort(or(e.Host, ""), strconv.Itoa(port))
}

// String names the endpoint in logs and errors.
func (e *endpoint) String() string { return fmt.Sprintf("%s@%s", e.user(), e.address()) }

// dialTimeout is how long one dial may take; 0 means any time.
func (e *endpoint) dialTimeout() time.Duration {
	return time.Duration(or(e.PerDialTimeout, defaultPerDialTimeout)) * time.Second
}

func (e *endpoint) dialErrorLimit() int { return or(e.DialErrorLimit, defaultDialErrorLimit) }

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}
