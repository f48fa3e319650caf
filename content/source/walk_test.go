package source_test

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"newsie/content/source"
)

// tree makes files in a new folder and returns its real path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestWalkPassesOverWhatIsNoArticle(t *testing.T) {
	dir := tree(t, map[string]string{
		"b.md": "# B", "a.txt": "A", "sub/c.html": "<p>C", "sub/deep/d": "D", "unknown.bin": "\x00",
		".hidden.md": "# H", ".git/x.md": "# X", "node_modules/p/readme.md": "# P", "a.png": "x", "s.CSS": "x", "b.md~": "# old", "Thumbs.db": "x",
	})
	outside := tree(t, map[string]string{"o.md": "# O"})
	for link, to := range map[string]string{"link.md": filepath.Join(outside, "o.md"), "linkdir": outside} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, refused, err := source.Walk(t.Context(), []string{filepath.Join(dir, "b.md"), dir, filepath.Join(dir, "pipe.txt"), filepath.Join(dir, "missing.md")})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		rel, _ := filepath.Rel(dir, f.Abs)
		got = append(got, filepath.ToSlash(rel))
	}
	if diff := cmp.Diff([]string{"b.md", "a.txt", "sub/c.html", "sub/deep/d", "unknown.bin"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if len(refused) != 2 || !errors.Is(refused[0], source.ErrUnreadable) || !strings.HasSuffix(refused[1].Path, "missing.md") {
		t.Errorf("refused: %v", refused)
	}
}

func TestIdentityDoesNotDependOnHowAFileIsNamed(t *testing.T) {
	dir := tree(t, map[string]string{"posts/2024/a.md": "# A\n\nText."})
	t.Chdir(dir)
	var keys, sources []string
	for _, path := range []string{dir, "posts", ".", "posts/2024/a.md", "posts/../posts/2024"} {
		files, _, err := source.Walk(t.Context(), []string{path})
		if err != nil || len(files) != 1 {
			t.Fatalf("walk %s: %v, %v", path, files, err)
		}
		p, err := source.ReadFile(files[0], "", "")
		if err != nil {
			t.Fatal(err)
		}
		keys, sources = append(keys, p.Drafts[0].Key), append(sources, p.Drafts[0].Source)
	}
	for i := range keys {
		if keys[i] != keys[0] || sources[i] != "2024" {
			t.Errorf("identity %d: %s %s, want %s 2024", i, keys[i], sources[i], keys[0])
		}
	}
}

func TestDataFilesInAFolderArePassedOver(t *testing.T) {
	dir := tree(t, map[string]string{"package.json": `{"name": "site"}`, "blob.bin": "a\x00b"})
	files, _, err := source.Walk(t.Context(), []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, f := range files {
		if p, err := source.ReadFile(f, "", ""); err != nil {
			refused = append(refused, filepath.Base(f.Path))
		} else if len(p.Drafts) != 0 {
			t.Errorf("%s gave %d drafts", f.Path, len(p.Drafts))
		}
	}
	if diff := cmp.Diff([]string{"blob.bin"}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func picture(t *testing.T, size int) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, size, size))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRelativePicturesAreTakenFromWithinOnly(t *testing.T) {
	outer := tree(t, map[string]string{"secret.png": picture(t, 1)})
	root := filepath.Join(outer, "import")
	good := picture(t, 2)
	for name, data := range map[string]string{
		"posts/a.md": "---\ncover: pics/cover.png\n---\n# A\n\n![own](pics/own.png) ![query](pics/own.png?v=2) ![space](pics/with%20space.png)\n\n![up](../shared.png) ![root](/shared.png)\n\n" +
			"![escape](../../secret.png) ![rooted](/../secret.png) ![link](link.png) ![linkdir](linked/secret.png) ![absolute](" + outer + "/secret.png)\n\n" +
			"![text](notes.png) ![missing](gone.png) ![folder](pics) ![pipe](pipe.png) ![web](https://example.org/x.png) ![data](data:image/png;base64,AAAA)",
		"posts/pics/own.png": good, "posts/pics/with space.png": good, "posts/pics/cover.png": good, "shared.png": good, "posts/notes.png": "only text",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"posts/link.png": "../../secret.png", "posts/linked": outer} {
		if err := os.Symlink(to, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(root, "posts/pipe.png"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, _, err := source.Walk(t.Context(), []string{root})
	if err != nil || len(files) != 1 {
		t.Fatalf("walk: %v, %v", files, err)
	}
	p, err := source.ReadFile(files[0], "", "")
	if err != nil {
		t.Fatal(err)
	}
	d := p.Drafts[0]
	var shown, kept []string
	for _, b := range d.Body {
		shown = append(shown, b.Text)
	}
	for _, f := range d.Pictures {
		if f.Type != "image/png" || string(f.Data) != good {
			t.Errorf("%s: %s, %d bytes", f.Name, f.Type, len(f.Data))
		}
		kept = append(kept, f.Name)
	}
	if diff := cmp.Diff([]string{"own", "query", "space", "up", "root", "web"}, shown); diff != "" {
		t.Errorf("pictures shown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"pics/own.png", "pics/with space.png", "../shared.png", "/shared.png", "pics/cover.png"}, kept); diff != "" {
		t.Errorf("pictures kept (-want +got):\n%s", diff)
	}
	if d.Cover != "pics/cover.png" {
		t.Errorf("cover %q", d.Cover)
	}
	if n := strings.Count(strings.Join(p.Warnings, "\n"), "outside the folder"); n != 1 {
		t.Errorf("%d pictures are said to lie outside, want 1:\n%s", n, strings.Join(p.Warnings, "\n"))
	}
	if len(p.Warnings) != 9 {
		t.Errorf("%d warnings, want 9:\n%s", len(p.Warnings), strings.Join(p.Warnings, "\n"))
	}
}

// `newsie import .` must not read newsie's own data.
func TestWalkPassesOverOurOwnData(t *testing.T) {
	root := tree(t, map[string]string{"a.md": "# A", "newsie-data/newsie.db": "x", "newsie-data/index.lock": "", "newsie-data/index/x.md": "# X", "other/newsie.db": "x", "other/b.md": "# B"})
	files, refused, err := source.Walk(t.Context(), []string{root})
	var got []string
	for _, f := range files {
		rel, _ := filepath.Rel(f.Root, f.Abs)
		got = append(got, filepath.ToSlash(rel))
	}
	if diff := cmp.Diff([]string{"a.md", "other/b.md"}, got); diff != "" || err != nil || len(refused) != 0 {
		t.Errorf("refused %v, %v, files (-want +got):\n%s", refused, err, diff)
	}
}
