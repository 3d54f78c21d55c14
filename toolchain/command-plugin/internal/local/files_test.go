package local

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFindTakesWhatTheLastMatchingPatternSays(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a.txt", "sub/b.txt", "sub/secret.txt", "c.md"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := find(root, []string{"**.txt", "!**secret*"})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found["a.txt"] == nil || found["sub/b.txt"] == nil {
		t.Errorf("found %v", found)
	}
	if _, err := find(root, []string{"[a"}); err == nil {
		t.Error("a pattern that is none was accepted")
	}
}
