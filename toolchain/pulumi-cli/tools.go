//go:build tools

// Package pulumicli pins the Pulumi CLI, so that `go build` of it is reproducible by go.mod and go.sum.
package pulumicli

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
