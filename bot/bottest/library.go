package bottest

import (
	"embed"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"newsie/content"
)

//go:embed library/*.txtar
var libraries embed.FS

// Library is a made-up publication in one language: its name and a few
// articles, each with its file's name as Key. It is what the answers in the
// documentation are made from.
func Library(t testing.TB, lang string) (name string, articles []content.Article) {
	t.Helper()
	data, err := libraries.ReadFile("library/" + lang + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	archive := txtar.Parse(data)
	name = strings.TrimSpace(string(archive.Comment))
	for _, file := range archive.Files {
		head, body, _ := strings.Cut(string(file.Data), "\n\n")
		body = strings.TrimSpace(body)
		a := content.Article{
			Source: name, Key: file.Name, Slug: file.Name, Lang: lang, Hash: file.Name, Summary: body,
			Body: []content.Block{{Kind: content.Paragraph, Text: body}},
		}
		for _, line := range strings.Split(head, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			switch key {
			case "title":
				a.Title = value
			case "author":
				a.Author = value
			case "tags":
				a.Tags = strings.Split(value, ", ")
			case "date":
				if a.Published, err = time.Parse(time.DateOnly, value); err != nil {
					t.Fatal(err)
				}
			case "cover":
				a.Cover = "/media/0123456789abcdef.png"
			default:
				t.Fatalf("%s: %q", file.Name, line)
			}
		}
		articles = append(articles, a)
	}
	return name, articles
}
