package telegramtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // each decoder registers itself
	"image/png"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	_ "golang.org/x/image/webp"
)

// A Picture is a photo as the server keeps it.
type Picture struct {
	URL    string // where the server fetched it; "" for an upload
	Width  int
	Height int
	Bytes  int
	id     int
}

// Limits of photos.
const (
	maxPhotoByURL  = 5 << 20
	maxPhotoUpload = 10 << 20
	maxPhotoSides  = 10_000 // width + height
	maxPhotoRatio  = 20
)

var errPrivateAddress = errors.New("not an address of the public internet")

// pictureClient fetches pictures as the platform does: from public addresses
// only, unless private ones are allowed, or from what stands in for the network.
func pictureClient(private bool, network http.RoundTripper) *http.Client {
	if network != nil {
		return &http.Client{Timeout: 10 * time.Second, Transport: network}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			ip := at.Addr().Unmap()
			if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
				return errPrivateAddress
			}
			return nil
		}
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

// loaded is what a call brings along besides its parameters: files that were
// uploaded with it and pictures that were fetched for it, by address.
type loaded struct {
	files    map[string][]byte
	pictures map[string]Picture
	refused  map[string]*refusal
}

// load fetches what the parameters name by address. It holds no lock.
func (s *Server) load(ctx context.Context, got *loaded, addresses ...string) {
	for _, address := range addresses {
		if !strings.Contains(address, ".") || strings.HasPrefix(address, "attach://") {
			continue // a file_id, or nothing
		}
		picture, refused := s.fetchPicture(ctx, address)
		if got.pictures == nil {
			got.pictures, got.refused = map[string]Picture{}, map[string]*refusal{}
		}
		got.pictures[address], got.refused[address] = picture, refused
	}
}

func (s *Server) fetchPicture(ctx context.Context, address string) (Picture, *refusal) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || checkURL(address) == "" {
		return Picture{}, bad("wrong file identifier/HTTP URL specified")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Picture{}, bad("wrong file identifier/HTTP URL specified")
	}
	resp, err := s.pictures.Do(req)
	if err != nil {
		return Picture{}, bad("failed to get HTTP URL content")
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return Picture{}, bad("failed to get HTTP URL content")
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	switch kind {
	case "image/jpeg", "image/png", "image/webp":
	default:
		return Picture{}, bad("wrong type of the web page content")
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxPhotoByURL+1))
	if err != nil || len(data) > maxPhotoByURL {
		return Picture{}, bad("failed to get HTTP URL content")
	}
	picture, refused := measure(data)
	picture.URL = address
	return picture, refused
}

// measure decodes a picture whole, as the platform does to make its sizes.
func measure(data []byte) (Picture, *refusal) {
	head, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return Picture{}, bad("IMAGE_PROCESS_FAILED")
	}
	w, h := head.Width, head.Height
	if w <= 0 || h <= 0 || w+h > maxPhotoSides || max(w, h) > maxPhotoRatio*min(w, h) {
		return Picture{}, bad("PHOTO_INVALID_DIMENSIONS")
	}
	if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
		return Picture{}, bad("IMAGE_PROCESS_FAILED")
	}
	return Picture{Width: w, Height: h, Bytes: len(data)}, nil
}

// photo finds the picture that a call names: an address, a file_id that was
// given out, or a file that came with the call. The lock is held.
func (s *Server) photo(name string, field string, got loaded) (*Picture, *refusal) {
	data, uploaded := got.files[field]
	if attached, ok := strings.CutPrefix(name, "attach://"); ok {
		if data, uploaded = got.files[attached]; !uploaded {
			return nil, bad("wrong file identifier/HTTP URL specified")
		}
	}
	if uploaded {
		switch {
		case len(data) == 0:
			return nil, bad("file must be non-empty")
		case len(data) > maxPhotoUpload:
			return nil, bad("file of size %d bytes is too big for a photo; the maximum size is %d bytes", len(data), maxPhotoUpload)
		}
		picture, refused := measure(data)
		if refused != nil {
			return nil, refused
		}
		return s.keep(picture), nil
	}
	if name == "" {
		return nil, bad("there is no photo in the request")
	}
	if refused := got.refused[name]; refused != nil {
		return nil, refused
	}
	if picture, ok := got.pictures[name]; ok {
		return s.keep(picture), nil
	}
	if _, err := base64.RawURLEncoding.DecodeString(name); err != nil {
		return nil, bad("wrong remote file identifier specified: Wrong character in the string")
	}
	if picture := s.files[name]; picture != nil {
		return picture, nil
	}
	return nil, bad("wrong file identifier/HTTP URL specified")
}

// keep gives a picture its file_ids.
func (s *Server) keep(p Picture) *Picture {
	s.nextFile++
	p.id = s.nextFile
	for _, size := range p.sizes() {
		s.files[size["file_id"].(string)] = &p
	}
	return &p
}

// sizes are the picture's PhotoSizes, small to large, as the platform makes them.
func (p *Picture) sizes() []map[string]any {
	var sizes []map[string]any
	for i, side := range []int{90, 320, 800, 1280} {
		w, h := p.Width, p.Height
		if longest := max(w, h); longest > side {
			w, h = max(1, w*side/longest), max(1, h*side/longest)
		}
		key := fmt.Sprintf("photo %08d %c", p.id, "smxy"[i])
		sizes = append(sizes, map[string]any{
			"file_id":        "AgACAgQA" + base64.RawURLEncoding.EncodeToString([]byte(key)),
			"file_unique_id": "AQAD" + base64.RawURLEncoding.EncodeToString([]byte(key[6:])),
			"width":          w, "height": h, "file_size": max(1, p.Bytes*w*h/max(1, p.Width*p.Height)),
		})
		if w == p.Width && h == p.Height {
			break
		}
	}
	return sizes
}

// String is the picture as a chat is printed with it.
func (p *Picture) String() string {
	s := fmt.Sprintf("▣ %d×%d", p.Width, p.Height)
	if p.URL != "" {
		s += " " + p.URL
	}
	return s
}

// FileID is what sends the picture once more.
func (p *Picture) FileID() string {
	sizes := p.sizes()
	return sizes[len(sizes)-1]["file_id"].(string)
}

// PNG is a picture for tests, of one colour.
func PNG(width, height int) []byte {
	img := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.RGBA{R: 0x40, G: 0x80, B: 0xc0, A: 0xff}})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil // no writer to fail, and an empty picture is refused
	}
	return b.Bytes()
}
