package remote

import (
	"context"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi-go-provider/infer/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// CopyToRemote is a file or directory that is copied to another machine.
type CopyToRemote struct{}

var (
	_ infer.CustomCreate[CopyInputs, CopyState] = (*CopyToRemote)(nil)
	_ infer.CustomCheck[CopyInputs]             = (*CopyToRemote)(nil)
	_ infer.CustomUpdate[CopyInputs, CopyState] = (*CopyToRemote)(nil)
)

// CopyInputs are the inputs of a CopyToRemote.
type CopyInputs struct {
	Connection *Connection          `pulumi:"connection" provider:"secret"`
	Triggers   []any                `pulumi:"triggers,optional" provider:"replaceOnChanges"`
	Source     types.AssetOrArchive `pulumi:"source"`
	RemotePath string               `pulumi:"remotePath"`
}

// CopyState is the state of a CopyToRemote.
type CopyState struct{ CopyInputs }

// Annotate sets descriptions.
func (c *CopyInputs) Annotate(a infer.Annotator) {
	a.Describe(&c.Connection, "How to reach the machine.")
	a.Describe(&c.Triggers, "A change of any of these replaces the resource.")
	a.Describe(&c.Source, "A file, a text or a directory (FileAsset, StringAsset, FileArchive); archives are not unpacked.")
	a.Describe(&c.RemotePath, "Where to. Missing parent directories are made. In an existing directory the "+
		"source keeps its name; an existing file is overwritten.")
}

// Check adds what types cannot say: there is one source, and it is of a kind that can be copied.
func (*CopyToRemote) Check(ctx context.Context, req infer.CheckRequest) (infer.CheckResponse[CopyInputs], error) {
	inputs, failures, err := infer.DefaultCheck[CopyInputs](ctx, req.NewInputs)
	if err == nil {
		if reason := unusable(inputs.Source); reason != "" {
			failures = append(failures, p.CheckFailure{Property: "source", Reason: reason})
		}
	}
	return infer.CheckResponse[CopyInputs]{Inputs: inputs, Failures: failures}, err
}

// unusable says why a source cannot be copied; it is empty if it can.
func unusable(source types.AssetOrArchive) string {
	asset, archive := source.Asset, source.Archive
	switch {
	case asset != nil && archive != nil:
		return "is both an asset and an archive; give one of them"
	case asset == nil && archive == nil:
		return "is neither an asset nor an archive; give a FileAsset, StringAsset or FileArchive"
	case asset != nil && !asset.IsPath() && !asset.IsText():
		return "must be a file or a text (FileAsset, StringAsset)"
	case archive != nil && !archive.IsPath():
		return "must be a path to a file or directory (FileArchive)"
	default:
		return ""
	}
}

// Create copies the source.
func (*CopyToRemote) Create(
	ctx context.Context, req infer.CreateRequest[CopyInputs],
) (infer.CreateResponse[CopyState], error) {
	state := CopyState{req.Inputs}
	id, err := resource.NewUniqueHex(req.Name, 8, 0)
	if err == nil && !req.DryRun {
		err = upload(ctx, req.Inputs)
	}
	return infer.CreateResponse[CopyState]{ID: id, Output: state}, err
}

// Update copies the source again if it or its destination has changed.
func (*CopyToRemote) Update(
	ctx context.Context, req infer.UpdateRequest[CopyInputs, CopyState],
) (infer.UpdateResponse[CopyState], error) {
	changed := hash(req.Inputs.Source) != hash(req.State.Source) || req.Inputs.RemotePath != req.State.RemotePath
	var err error
	if changed && !req.DryRun {
		err = upload(ctx, req.Inputs)
	}
	return infer.UpdateResponse[CopyState]{Output: CopyState{req.Inputs}}, err
}

func hash(source types.AssetOrArchive) string {
	if source.Archive != nil {
		return source.Archive.Hash
	}
	return source.Asset.Hash
}
