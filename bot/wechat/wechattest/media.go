package wechattest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // decodes covers
	_ "image/jpeg" // decodes covers
	_ "image/png"  // decodes covers
	"io"
	"net/http"
	"slices"
)

const (
	maxImages  = 100_000
	imageBytes = 10 << 20
	thumbBytes = 64 << 10
	bodyImage  = 1 << 20
)

// A Material is a picture that the account keeps on the platform.
type Material struct {
	ID     string // media_id; "" for one uploaded only for the body of an article
	Type   string // image, thumb, or body
	URL    string
	Name   string // of the file
	Format string // jpeg, png, gif or bmp
	Width  int
	Height int
	Bytes  int
}

// Materials are the pictures that were uploaded and not deleted, oldest first.
func (s *Server) Materials() []Material {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.materials)
}

// Material is the picture with a media_id.
func (s *Server) Material(id string) (Material, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.material(id)
}

func (s *Server) material(id string) (Material, bool) {
	for _, m := range s.materials {
		if id != "" && m.ID == id {
			return m, true
		}
	}
	return Material{}, false
}

// Fill makes n pictures count as kept already.
func (s *Server) Fill(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keptBefore += n
}

// upload reads the file of a call; its Format is "" when it is no picture.
func (s *Server) upload(r *http.Request) (Material, int) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	file, header, err := r.FormFile("media")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return Material{}, 45001
	case err != nil || header.Filename == "":
		return Material{}, 41005
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(file)
	if err != nil || len(data) == 0 {
		return Material{}, 41005
	}
	m := Material{Name: header.Filename, Bytes: len(data)}
	m.Format, m.Width, m.Height = picture(data)
	return m, 0
}

// picture decodes a picture whole: a cut file has no format.
func picture(data []byte) (format string, width, height int) {
	if len(data) > 26 && string(data[:2]) == "BM" && int(binary.LittleEndian.Uint32(data[2:])) == len(data) {
		return "bmp", int(int32(binary.LittleEndian.Uint32(data[18:]))), int(int32(binary.LittleEndian.Uint32(data[22:])))
	}
	config, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil || config.Width*config.Height > 64<<20 {
		return "", 0, 0
	}
	if _, format, err = image.Decode(bytes.NewReader(data)); err != nil {
		return "", 0, 0
	}
	return format, config.Width, config.Height
}

func (s *Server) addMaterial(r *http.Request) any {
	kind := r.URL.Query().Get("type")
	if kind != "image" && kind != "thumb" { // voice and video are not played
		return 40004
	}
	m, code := s.upload(r)
	switch {
	case code != 0:
		return code
	case kind == "thumb" && m.Format != "jpeg", m.Format == "":
		return 40005
	case kind == "thumb" && m.Bytes > thumbBytes:
		return 40012
	case m.Bytes > imageBytes:
		return 40009
	case s.keptBefore+s.images() >= maxImages:
		return 45001 // (m)
	}
	m.Type = kind
	m.ID = "MEDIA_" + s.serial()
	m.URL = pictureURL(m.Format, m.ID)
	s.materials = append(s.materials, m)
	if kind == "thumb" {
		return map[string]any{"media_id": m.ID}
	}
	return map[string]any{"media_id": m.ID, "url": m.URL}
}

func pictureURL(format, id string) string {
	return fmt.Sprintf("http://mmbiz.qpic.cn/mmbiz_%s/%s/0?wx_fmt=%s", format, id, format)
}

// images counts the pictures of the library; those of articles' bodies are
// outside its limit.
func (s *Server) images() int {
	n := 0
	for _, m := range s.materials {
		if m.ID != "" {
			n++
		}
	}
	return n
}

func (s *Server) uploadImage(r *http.Request) any {
	m, code := s.upload(r)
	switch {
	case code != 0:
		return code
	case m.Format != "jpeg" && m.Format != "png":
		return 40005
	case m.Bytes >= bodyImage:
		return 40009
	}
	m.Type, m.URL = "body", pictureURL(m.Format, s.serial())
	s.materials = append(s.materials, m)
	return map[string]any{"url": m.URL}
}

func (s *Server) materialCount(*http.Request) any {
	return map[string]any{"voice_count": 0, "video_count": 0, "image_count": s.keptBefore + s.images(), "news_count": 0}
}

func (s *Server) deleteMaterial(r *http.Request) any {
	id, ok := s.mediaID(r)
	if !ok {
		return 47001
	}
	if _, ok := s.material(id); !ok {
		return 40007
	}
	s.materials = slices.DeleteFunc(s.materials, func(m Material) bool { return m.ID == id })
	return 0
}

func (s *Server) mediaID(r *http.Request) (string, bool) {
	var in struct {
		ID string `json:"media_id"`
	}
	ok := s.decode(r, &in)
	return in.ID, ok
}
