package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pkg/sftp"
)

// upload copies the source of inputs over one SFTP session. It closes the connection when ctx ends,
// which stops a copy at any point.
func upload(ctx context.Context, inputs CopyInputs) error {
	client, err := inputs.Connection.Dial(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	defer context.AfterFunc(ctx, func() { _ = client.Close() })()
	transfer, err := sftp.NewClient(client, sftp.UseConcurrentWrites(true))
	if err != nil {
		return fmt.Errorf("%s offers no SFTP: %w", inputs.Connection, err)
	}
	defer func() { _ = transfer.Close() }()
	target := remoteFiles{transfer}
	if asset := inputs.Source.Asset; asset != nil && asset.IsText() {
		err = target.copyText(asset.Text, inputs.RemotePath)
	} else if asset != nil {
		err = target.copyPath(asset.Path, inputs.RemotePath)
	} else {
		err = target.copyPath(inputs.Source.Archive.Path, inputs.RemotePath)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("cancelled: %w", context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("copying to %s: %w", inputs.Connection, err)
	}
	return nil
}

// remoteFiles is the file system of the other machine.
type remoteFiles struct{ *sftp.Client }

// stat is nil without an error if there is nothing at name.
func (r remoteFiles) stat(name string) (fs.FileInfo, error) {
	info, err := r.Stat(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look at %s: %w", name, err)
	}
	return info, nil
}

func (r remoteFiles) copyText(text, target string) error {
	info, err := r.stat(target)
	if err != nil {
		return err
	}
	if info != nil && info.IsDir() {
		return fmt.Errorf("%s is a directory; a text has no name, so remotePath must be that of a file", target)
	}
	return r.write(strings.NewReader(text), target)
}

// copyPath copies a file or directory:
//
//	source | target is a directory | target does not exist | target is a file
//	file   | target/file           | target                | overwritten
//	dir    | target/dir            | target/dir            | error
//	dir/   | target/*              | target/*              | error
func (r remoteFiles) copyPath(source, target string) error {
	local, err := os.Stat(source)
	if err != nil {
		return err
	}
	remote, err := r.stat(target)
	if err != nil {
		return err
	}
	switch {
	case !local.IsDir() && remote != nil && remote.IsDir():
		return r.copyFile(source, path.Join(target, filepath.Base(source)))
	case !local.IsDir():
		return r.copyFile(source, target)
	case strings.HasSuffix(source, "/"):
		return r.copyTree(source, target)
	default:
		return r.copyTree(source, path.Join(target, filepath.Base(source)))
	}
}

func (r remoteFiles) copyTree(source, target string) error {
	return filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		destination := path.Join(target, filepath.ToSlash(relative))
		if entry.IsDir() {
			return r.makeDirectory(destination)
		}
		return r.copyFile(name, destination)
	})
}

func (r remoteFiles) makeDirectory(name string) error {
	if err := r.MkdirAll(name); err != nil {
		return fmt.Errorf("cannot make the directory %s: %w", name, err)
	}
	return nil
}

func (r remoteFiles) copyFile(source, target string) error {
	file, err := os.Open(source)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return r.write(file, target)
}

func (r remoteFiles) write(content io.Reader, target string) error {
	if err := r.makeDirectory(path.Dir(target)); err != nil {
		return err
	}
	file, err := r.Create(target)
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", target, err)
	}
	if _, err = file.ReadFrom(content); err != nil {
		_ = file.Close()
		return fmt.Errorf("cannot write %s: %w", target, err)
	}
	if err = file.Close(); err != nil {
		return fmt.Errorf("cannot write %s: %w", target, err)
	}
	return nil
}
