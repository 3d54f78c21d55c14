package remote

import (
	"bytes"
	"fmt"
	"net"
	"os"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

const agentVariable = "SSH_AUTH_SOCK"

// clientConfig turns an endpoint into the configuration of an SSH client. Its errors name what is
// wrong with a key and never show the key. The caller calls done when it no longer connects.
func (e *endpoint) clientConfig() (config *ssh.ClientConfig, done func(), err error) {
	config, done = &ssh.ClientConfig{User: e.user(), Timeout: e.dialTimeout()}, func() {}
	if err := e.pinHostKey(config); err != nil {
		return nil, nil, err
	}
	// A client offers one method of a kind only, and an agent full of other keys would use up the
	// server's patience; so it is the private key or else the agent.
	if e.PrivateKey != nil {
		signer, err := e.signer()
		if err != nil {
			return nil, nil, fmt.Errorf("the private key for %s cannot be used: %w", e, err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	} else if connection, err := e.agent(); err != nil {
		return nil, nil, err
	} else if connection != nil {
		done = func() { _ = connection.Close() }
		config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(connection).Signers))
	}
	if e.Password != nil {
		config.Auth = append(config.Auth, ssh.Password(*e.Password), ssh.KeyboardInteractive(e.answer))
	}
	return config, done, nil
}

// agent connects to the SSH agent, if there is one.
func (e *endpoint) agent() (net.Conn, error) {
	path := or(e.AgentSocketPath, os.Getenv(agentVariable))
	if path == "" {
		return nil, nil
	}
	connection, err := net.Dial("unix", path)
	if err == nil {
		return connection, nil
	}
	if e.AgentSocketPath == nil && e.Password != nil {
		return nil, nil // a stale variable in the environment; the password was what was meant
	}
	return nil, fmt.Errorf("no SSH agent answers at %s: %w", path, err)
}

func (e *endpoint) signer() (ssh.Signer, error) {
	key := []byte(*e.PrivateKey)
	if e.PrivateKeyPassword != nil {
		return ssh.ParsePrivateKeyWithPassphrase(key, []byte(*e.PrivateKeyPassword))
	}
	return ssh.ParsePrivateKey(key)
}

// answer gives the password to every question of keyboard-interactive authentication.
func (e *endpoint) answer(_, _ string, questions []string, _ []bool) ([]string, error) {
	answers := make([]string, len(questions))
	for i := range answers {
		answers[i] = *e.Password
	}
	return answers, nil
}

// pinHostKey accepts only the expected host key. It also asks the server for that kind of key, which
// would otherwise show whichever of its keys the two sides prefer.
func (e *endpoint) pinHostKey(config *ssh.ClientConfig) error {
	if e.HostKey == nil {
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey() //nolint:gosec // what the input's description says
		return nil
	}
	expected, _, _, _, err := ssh.ParseAuthorizedKey([]byte(*e.HostKey))
	if err != nil {
		return fmt.Errorf("hostKey for %s: expected a line like \"ssh-ed25519 AAAA...\": %w", e, err)
	}
	config.HostKeyAlgorithms = hostKeyAlgorithms(expected.Type())
	config.HostKeyCallback = func(_ string, _ net.Addr, shown ssh.PublicKey) error {
		if bytes.Equal(shown.Marshal(), expected.Marshal()) {
			return nil
		}
		return &hostKeyError{endpoint: e.String(), expected: expected, shown: shown}
	}
	return nil
}

func hostKeyAlgorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// hostKeyError says that another machine answers than the one that was meant.
type hostKeyError struct {
	endpoint        string
	expected, shown ssh.PublicKey
}

func (e *hostKeyError) Error() string {
	return fmt.Sprintf("host key mismatch: %s shows %s %s, but hostKey is %s %s. "+
		"Another machine has this address, or its host keys were made anew",
		e.endpoint, e.shown.Type(), ssh.FingerprintSHA256(e.shown),
		e.expected.Type(), ssh.FingerprintSHA256(e.expected))
}
