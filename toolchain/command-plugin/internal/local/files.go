package local

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gobwas/glob"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// collect adds the files that the command was asked to leave.
func (s *CommandState) collect(outputs *Outputs) error {
	directory := "."
	if s.Dir != nil {
		directory = *s.Dir
	}
	if s.AssetPaths != nil {
		assets, err := find(directory, s.AssetPaths)
		if err != nil {
			return err
		}
		outputs.Assets = assets
	}
	if s.ArchivePaths == nil {
		return nil
	}
	assets, err := find(directory, s.ArchivePaths)
	if err != nil {
		return err
	}
	content := make(map[string]any, len(assets))
	for name, asset := range assets {
		content[name] = asset
	}
	outputs.Archive, err = resource.NewAssetArchive(content)
	return err
}

// find gives the files below directory that patterns select. Later patterns win over earlier ones.
func find(directory string, patterns []string) (map[string]*resource.Asset, error) {
	selectors, err := compile(patterns)
	if err != nil {
		return nil, err
	}
	// Absolute, because the engine that reads the assets need not run in the same directory.
	root, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	found := map[string]*resource.Asset{}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !selected(selectors, name) {
			return err
		}
		found[name], err = resource.NewPathAsset(filepath.Join(root, name))
		return err
	})
	return found, err
}

type selector struct {
	glob.Glob
	exclude bool
}

func compile(patterns []string) ([]selector, error) {
	selectors := make([]selector, 0, len(patterns))
	for _, pattern := range patterns {
		compiled, err := glob.Compile(strings.TrimPrefix(pattern, "!"), '/')
		if err != nil {
			return nil, fmt.Errorf("the path pattern %q cannot be used: %w", pattern, err)
		}
		selectors = append(selectors, selector{compiled, strings.HasPrefix(pattern, "!")})
	}
	return selectors, nil
}

func selected(selectors []selector, name string) bool {
	chosen := false
	for _, selector := range selectors {
		if selector.Match(name) {
			chosen = !selector.exclude
		}
	}
	return chosen
}
