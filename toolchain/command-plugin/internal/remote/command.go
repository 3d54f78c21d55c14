package remote

import (
	"context"

	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"ha-lab/toolchain/command-plugin/internal/output"
)

// Command is a command that runs on another machine when the resource is created, changed or deleted.
type Command struct{}

var (
	_ infer.CustomCreate[CommandInputs, CommandState] = (*Command)(nil)
	_ infer.CustomUpdate[CommandInputs, CommandState] = (*Command)(nil)
	_ infer.CustomDelete[CommandState]                = (*Command)(nil)
)

// Logging selects the streams that the engine's log shows.
type Logging string

// Values are the legal values of Logging.
func (Logging) Values() []infer.EnumValue[Logging] {
	return []infer.EnumValue[Logging]{
		{Name: output.Stdout, Value: output.Stdout, Description: "Show stdout only."},
		{Name: output.Stderr, Value: output.Stderr, Description: "Show stderr only."},
		{Name: output.StdoutAndStderr, Value: output.StdoutAndStderr, Description: "Show both."},
		{Name: output.None, Value: output.None, Description: "Show neither."},
	}
}

// CommandInputs are the inputs of a Command.
type CommandInputs struct {
	Connection             *Connection       `pulumi:"connection" provider:"secret"`
	Environment            map[string]string `pulumi:"environment,optional"`
	Triggers               []any             `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Create                 *string           `pulumi:"create,optional"`
	Update                 *string           `pulumi:"update,optional"`
	Delete                 *string           `pulumi:"delete,optional"`
	Stdin                  *string           `pulumi:"stdin,optional"`
	Logging                *Logging          `pulumi:"logging,optional"`
	AddPreviousOutputInEnv *bool             `pulumi:"addPreviousOutputInEnv,optional"`
}

// Outputs are what the last command wrote.
type Outputs struct {
	Stdout string `pulumi:"stdout"`
	Stderr string `pulumi:"stderr"`
}

// CommandState is the state of a Command.
type CommandState struct {
	CommandInputs
	Outputs
}

// Annotate sets descriptions and defaults.
func (c *CommandInputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Connection, "How to reach the machine.")
	a.Describe(&c.Environment, "Environment variables; the SSH server must accept them (AcceptEnv).")
	a.Describe(&c.Triggers, "A change of any of these replaces the resource.")
	a.Describe(&c.Create, "The command to run on create, and on a change if there is no update.")
	a.Describe(&c.Update, "The command to run when an input has changed.")
	a.Describe(&c.Delete, "The command to run on delete.")
	a.Describe(&c.Stdin, "What the command gets on standard input.")
	a.Describe(&c.Logging, "Which streams the log shows. It does not affect the outputs.")
	a.Describe(&c.AddPreviousOutputInEnv, "Whether update and delete get the previous outputs as "+
		previousStdout+" and "+previousStderr+".")
	a.SetDefault(&c.AddPreviousOutputInEnv, true)
}

// Create runs the create command.
func (*Command) Create(
	ctx context.Context, req infer.CreateRequest[CommandInputs],
) (infer.CreateResponse[CommandState], error) {
	state := CommandState{CommandInputs: req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = state.apply(ctx, req.Inputs.Create)
	}
	return infer.CreateResponse[CommandState]{ID: id, Output: state}, err
}

// Update runs the update command, or else the create command again.
func (*Command) Update(
	ctx context.Context, req infer.UpdateRequest[CommandInputs, CommandState],
) (infer.UpdateResponse[CommandState], error) {
	state := CommandState{CommandInputs: req.Inputs, Outputs: req.State.Outputs}
	var err error
	if !req.DryRun {
		command := req.Inputs.Update
		if command == nil {
			command = req.Inputs.Create
		}
		err = state.apply(ctx, command)
	}
	return infer.UpdateResponse[CommandState]{Output: state}, err
}

// Delete runs the delete command.
func (*Command) Delete(ctx context.Context, req infer.DeleteRequest[CommandState]) (infer.DeleteResponse, error) {
	return infer.DeleteResponse{}, req.State.apply(ctx, req.State.Delete)
}

// apply runs command, if there is one, and takes over its outputs.
func (s *CommandState) apply(ctx context.Context, command *string) error {
	if command == nil {
		return nil
	}
	outputs, err := s.run(ctx, *command)
	if err == nil {
		s.Outputs = *outputs
	}
	return err
}
