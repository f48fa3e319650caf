package wechattest_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"path/filepath"
	"strings"
	"testing"

	"os"

	"github.com/silenceper/wechat/v2/officialaccount/material"

	"newsie/bot/wechat/wechattest"
)

// picture is a picture in a format, padded behind its end to size bytes.
func picture(t *testing.T, format string, width, height, size int) []byte {
	t.Helper()
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
	var b bytes.Buffer
	var err error
	switch format {
	case "jpeg":
		err = jpeg.Encode(&b, m, nil)
	case "png":
		err = png.Encode(&b, m)
	case "gif":
		err = gif.Encode(&b, m, nil)
	case "bmp":
		head := make([]byte, 54)
		copy(head, "BM")
		binary.LittleEndian.PutUint32(head[2:], 54)
		binary.LittleEndian.PutUint32(head[18:], uint32(width))
		binary.LittleEndian.PutUint32(head[22:], uint32(height))
		b.Write(head)
	default:
		b.WriteString(format)
	}
	if err != nil {
		t.Fatal(err)
	}
	if b.Len() < size {
		b.Write(make([]byte, size-b.Len()))
	}
	return b.Bytes()
}

// upload posts a file in a field.
func (a *api) upload(path, field, name string, data []byte, query ...string) (int, object) {
	a.t.Helper()
	var b strings.Builder
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile(field, name)
	if err != nil {
		a.t.Fatal(err)
	}
	_, _ = part.Write(data)
	_ = w.Close()
	return a.raw(path, w.FormDataContentType(), b.String(), query...)
}

// cover keeps a thumb and returns its media_id.
func (a *api) cover() string {
	a.t.Helper()
	_, answer := a.upload(wechattest.MaterialAdd, "media", "a.jpg", picture(a.t, "jpeg", 900, 500, 0), "type", "thumb")
	id, _ := answer["media_id"].(string)
	return id
}

func TestMaterialLimits(t *testing.T) {
	for name, test := range map[string]struct {
		kind, format string
		size, code   int
	}{
		"jpeg":              {"image", "jpeg", 0, 0},
		"png":               {"image", "png", 0, 0},
		"gif":               {"image", "gif", 0, 0},
		"bmp":               {"image", "bmp", 0, 0},
		"no picture":        {"image", "a text of some length, which is no picture", 0, 40005},
		"10 MB":             {"image", "png", 10 << 20, 0},
		"10 MB and a byte":  {"image", "png", 10<<20 + 1, 40009},
		"thumb":             {"thumb", "jpeg", 0, 0},
		"64 KB thumb":       {"thumb", "jpeg", 64 << 10, 0},
		"a byte too much":   {"thumb", "jpeg", 64<<10 + 1, 40012},
		"png thumb":         {"thumb", "png", 0, 40005},
		"unknown type":      {"poem", "png", 0, 40004},
		"far too large":     {"image", "png", 17 << 20, 45001},
		"no type":           {"", "png", 0, 40004},
		"voice, not played": {"voice", "png", 0, 40004},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, wechattest.Account{}) // not verified: drafts are for all
			code, answer := a.upload(wechattest.MaterialAdd, "media", "a.img", picture(t, test.format, 30, 20, test.size), "type", test.kind)
			a.want(name, code, test.code)
			kept := a.Materials()
			if (len(kept) == 1) != (test.code == 0) {
				t.Fatalf("kept: %+v", kept)
			}
			if test.code != 0 {
				return
			}
			if m := kept[0]; m.ID != answer["media_id"] || m.Format != test.format || m.Width != 30 || m.Height != 20 || m.Type != test.kind || m.Bytes < test.size {
				t.Errorf("%+v", m)
			}
			if url, _ := answer["url"].(string); strings.HasPrefix(url, "http://mmbiz.qpic.cn/") != (test.kind == "image") {
				t.Errorf("url %q", url)
			}
		})
	}
	a := start(t, wechattest.Account{})
	code, _ := a.upload(wechattest.MaterialAdd, "file", "a.png", picture(t, "png", 1, 1, 0), "type", "image")
	a.want("wrong field", code, 41005)
	code, _ = a.upload(wechattest.MaterialAdd, "media", "", picture(t, "png", 1, 1, 0), "type", "image")
	a.want("no file name", code, 41005)
	code, _ = a.upload(wechattest.MaterialAdd, "media", "a.png", nil, "type", "image")
	a.want("empty", code, 41005)
	cut := picture(t, "png", 300, 300, 0)
	code, _ = a.upload(wechattest.MaterialAdd, "media", "a.png", cut[:len(cut)/2], "type", "image")
	a.want("a cut picture", code, 40005)
	a.Fill(99_999)
	code, _ = a.upload(wechattest.MaterialAdd, "media", "a.png", picture(t, "png", 1, 1, 0), "type", "image")
	a.want("the last picture", code, 0)
	code, _ = a.upload(wechattest.MaterialAdd, "media", "a.png", picture(t, "png", 1, 1, 0), "type", "image")
	a.want("one more", code, 45001)
}

func TestBodyImageLimits(t *testing.T) {
	a := start(t, wechattest.Account{})
	for name, test := range map[string]struct {
		format     string
		size, code int
	}{
		"jpeg": {"jpeg", 0, 0}, "png": {"png", 0, 0}, "gif": {"gif", 0, 40005}, "no picture": {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0, 40005},
		"below 1 MB": {"png", 1<<20 - 1, 0}, "1 MB": {"png", 1 << 20, 40009},
	} {
		code, answer := a.upload(wechattest.ImageUpload, "media", "a.png", picture(t, test.format, 2, 2, test.size))
		a.want(name, code, test.code)
		if url, _ := answer["url"].(string); strings.HasPrefix(url, "http://mmbiz.qpic.cn/") != (code == 0) {
			t.Errorf("%s: %q", name, url)
		}
	}
	_, answer := a.get(wechattest.MaterialCount)
	if answer["image_count"] != 0.0 {
		t.Errorf("counted in the library: %v", answer)
	}
}

func TestMaterialOfTheLibrary(t *testing.T) {
	a := subscription(t)
	m := library(t, a.Server).GetMaterial()
	file := filepath.Join(t.TempDir(), "封面.jpg")
	if err := os.WriteFile(file, picture(t, "jpeg", 900, 500, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	id, _, err := m.AddMaterial(material.MediaTypeThumb, file)
	if kept, ok := a.Material(id); err != nil || !ok || kept.Width != 900 || kept.Height != 500 || kept.Name != "封面.jpg" {
		t.Errorf("%v %+v", err, kept)
	}
	if url, err := m.ImageUpload(file); err != nil || !strings.Contains(url, "mmbiz.qpic.cn") {
		t.Errorf("%q %v", url, err)
	}
	if n, err := m.GetMaterialCount(); err != nil || n.ImageCount != 1 {
		t.Errorf("%+v %v", n, err)
	}
	if err := m.DeleteMaterial(id); err != nil {
		t.Error(err)
	}
	if err := m.DeleteMaterial(id); err == nil || !strings.Contains(err.Error(), "errcode=40007") {
		t.Errorf("deleted twice: %v", err)
	}
}
