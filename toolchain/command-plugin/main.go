// Command pulumi-resource-command is a drop-in for the official command plugin where that one
// cannot be downloaded: the same tokens, inputs, outputs, secrets and diffs for command:remote:Command,
// command:remote:CopyToRemote and command:local:Command. README.md says where it differs on purpose.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-go-provider/infer"

	"ha-lab/toolchain/command-plugin/internal/local"
	"ha-lab/toolchain/command-plugin/internal/remote"
)

// version is that of the SDK this plugin serves; the build sets it with -ldflags "-X main.version=".
var version = "1.2.1"

func main() {
	provider, err := infer.NewProviderBuilder().
		WithDisplayName("Command").
		WithDescription("Runs commands and copies files, here or on other machines by SSH.").
		WithResources(
			infer.Resource(&remote.Command{}),
			infer.Resource(&remote.CopyToRemote{}),
			infer.Resource(&local.Command{}),
		).
		Build()
	if err == nil {
		go endWithParent(provider.Cancel)
		err = provider.Run(context.Background(), "command", version)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-command:", err)
		os.Exit(1)
	}
}
