package web_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"strings"
	"sync"
	"testing"

	"newsie/content"
	"newsie/internal/browsertest"
	"newsie/internal/web"
)

// onlyFirst breaks for every article but one.
type onlyFirst struct {
	*shelf
	whole int64
}

func (o *onlyFirst) Article(ctx context.Context, id int64) (content.Article, error) {
	if id != o.whole {
		return content.Article{}, errors.New("the disk is full")
	}
	return o.shelf.Article(ctx, id)
}

func TestACoverHasTheSizeThatIsAskedFor(t *testing.T) {
	library := stock()
	library.pictures["aa.png"] = content.Figure{Name: "aa.png", Type: "image/png", Data: browsertest.Picture()}
	h := open(t, library)
	tags := map[string]bool{get(t, h, "/media/aa.png").Header.Get("ETag"): true}
	for _, size := range []image.Point{{X: 900, Y: 500}, {X: 1200, Y: 630}, {X: 320, Y: 320}} {
		path := fmt.Sprintf("/media/aa.png?cover=%dx%d", size.X, size.Y)
		r := get(t, h, path)
		data := text(t, r, http.StatusOK)
		picture, err := jpeg.Decode(strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if got := picture.Bounds().Size(); got != size {
			t.Errorf("%s is %v", path, got)
		}
		if kind := r.Header.Get("Content-Type"); kind != "image/jpeg" || r.Header.Get("Content-Length") != fmt.Sprint(len(data)) {
			t.Errorf("%s: type %q, length %q", path, kind, r.Header.Get("Content-Length"))
		}
		if tag := r.Header.Get("ETag"); !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || tags[tag] {
			t.Errorf("%s: kept as %q, %q", path, r.Header.Get("Cache-Control"), tag)
		}
		tags[r.Header.Get("ETag")] = true
		if again := text(t, get(t, h, path), http.StatusOK); again != data {
			t.Errorf("%s: the second time it is another one", path)
		}
		if unchanged := get(t, h, path, "If-None-Match", r.Header.Get("ETag")); unchanged.StatusCode != http.StatusNotModified {
			t.Errorf("%s: status %d", path, unchanged.StatusCode)
		}
	}
	if whole := get(t, h, "/media/aa.png"); whole.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the picture itself is %q", whole.Header.Get("Content-Type"))
	}
}

func TestNoOtherCoverIsMade(t *testing.T) {
	library := stock()
	library.pictures["aa.png"] = content.Figure{Name: "aa.png", Type: "image/png", Data: browsertest.Picture()}
	library.pictures["bomb.png"] = content.Figure{Name: "bomb.png", Type: "image/png", Data: bomb(60_000, 60_000)}
	h := open(t, library)
	for _, path := range []string{
		"aa.png?cover=", "aa.png?cover=901x500", "aa.png?cover=20000x20000", "aa.png?cover=900X500", "aa.png?cover=900x500&cover=900x500",
		"none.png?cover=900x500", "bad.svg?cover=900x500", "bomb.png?cover=900x500",
	} {
		if r := get(t, h, "/media/"+path); r.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
}

// bomb is the head of a PNG that claims a size.
func bomb(width, height uint32) []byte {
	head := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(head[4:], width)
	binary.BigEndian.PutUint32(head[8:], height)
	head[12], head[13] = 8, 6
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

// noise is a picture that compresses badly.
func noise(t *testing.T, seed int) content.Figure {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 900, 500))
	x := uint32(seed)*2654435761 + 1
	for i := range m.Pix {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		m.Pix[i] = byte(x)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return content.Figure{Name: fmt.Sprintf("n%d.png", seed), Type: "image/png", Data: b.Bytes()}
}

func TestTheMemoryOfCoversIsBounded(t *testing.T) {
	covers := web.NewCovers()
	first, err := covers.Of(t.Context(), noise(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	most := web.CoverMemory / len(first.Data)
	if most > 60 {
		t.Fatalf("a cover has %d bytes only", len(first.Data))
	}
	var all sync.WaitGroup
	for i := range most + 6 {
		all.Go(func() {
			if _, err := covers.Of(t.Context(), noise(t, i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n, size := covers.Kept(); size > web.CoverMemory || n < most-2 || n > most+1 {
		t.Errorf("%d covers of %d bytes are kept, %d bytes are allowed", n, size, web.CoverMemory)
	}
}
