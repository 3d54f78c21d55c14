//go:build tools

// Package languagepython pins Pulumi's Python language host: the last version of it that lives in
// the SDK's module, and so in the Go module registry.
package languagepython

import _ "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
