package source

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
	"golang.org/x/text/unicode/norm"
)

// decode turns a file of any common encoding into valid UTF-8 text with \n
// line ends and composed letters. The declared encoding is what a server said.
// Its error is a *RefusedError without a path.
func decode(data []byte, declared string) (string, error) {
	if len(data) > MaxSize {
		return "", refuse("", ErrTooLarge, "")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return "", refuse("", ErrEmpty, "")
	}
	text, err := toUTF8(data, declared)
	if err != nil {
		return "", err
	}
	if n := controls(text); n > 4 && n*200 > len(text) {
		return "", refuse("", ErrBinary, "")
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' && r != '\f' || r == 0x7f || r == 0xfeff {
			return -1
		}
		return r
	}, text)
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(text)
	if strings.TrimSpace(text) == "" {
		return "", refuse("", ErrEmpty, "")
	}
	return norm.NFC.String(text), nil
}

func toUTF8(data []byte, declared string) (string, error) {
	if enc := byMark(data); enc != nil {
		text, err := enc.NewDecoder().Bytes(data)
		if err != nil || broken(string(text)) {
			return "", refuse("", ErrEncoding, "its byte order mark is wrong")
		}
		return string(text), nil
	}
	if what := binary(data); what != "" {
		return "", refuse("", ErrBinary, what)
	}
	if utf8.Valid(data) {
		if bytes.Contains(data, []byte("\x1b$B")) || bytes.Contains(data, []byte("\x1b$@")) {
			if text, err := japanese.ISO2022JP.NewDecoder().Bytes(data); err == nil && !broken(string(text)) {
				return string(text), nil
			}
		}
		return string(data), nil
	}
	for _, label := range []string{declared, declaredInside(data)} {
		if text, ok := decodeAs(data, label); ok {
			return text, nil
		}
	}
	if mostlyUTF8(data) {
		return strings.ToValidUTF8(string(data), ""), nil
	}
	enc := detect(data)
	if enc == nil {
		return "", refuse("", ErrEncoding, "")
	}
	text, err := enc.NewDecoder().Bytes(data)
	if err != nil || broken(string(text)) {
		return "", refuse("", ErrEncoding, "")
	}
	return string(text), nil
}

func byMark(data []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return unicode.UTF8BOM
	case bytes.HasPrefix(data, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(data, []byte{0, 0, 0xfe, 0xff}):
		return utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM)
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM)
	}
	return nil
}

// binary names what data is when it is no text, or "".
func binary(data []byte) string {
	if kind := http.DetectContentType(data); !strings.HasPrefix(kind, "text/") && kind != "application/octet-stream" {
		return kind
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "it holds zero bytes"
	}
	return ""
}

// declaration finds the encoding an XML declaration or a meta element names.
var declaration = regexp.MustCompile(`(?i)^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{2,40})`)

func declaredInside(data []byte) string {
	m := declaration.FindSubmatch(data[:min(len(data), 4096)])
	if m == nil {
		return ""
	}
	return string(m[1]) + string(m[2])
}

func decodeAs(data []byte, label string) (string, bool) {
	label = strings.ToLower(strings.TrimSpace(label))
	if label == "" || strings.HasPrefix(label, "utf-8") || label == "utf8" {
		return "", false
	}
	enc, err := htmlindex.Get(label)
	if err != nil || enc == encoding.Replacement {
		return "", false
	}
	text, err := enc.NewDecoder().Bytes(data)
	if err != nil || broken(string(text)) {
		return "", false
	}
	return string(text), true
}

// broken reports whether decoding met what the encoding does not have: more
// than a stray byte or two, as a file cut off in mid-character leaves.
func broken(text string) bool {
	bad := strings.Count(text, "\ufffd")
	return bad > 2 && bad*1000 > len(text) || bad > 0 && bad*20 > len(text)
}

// mostlyUTF8 accepts UTF-8 with a few damaged bytes, as cutting leaves them:
// well-formed sequences of several bytes do not come about by chance.
func mostlyUTF8(data []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		i += size
	}
	return bad <= 2 && good >= 10 || bad*100 < good
}

func controls(text string) int {
	n := 0
	for i := range len(text) {
		if c := text[i]; c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b || c == 0x7f {
			n++
		}
	}
	return n
}

// Decode turns a file of any common encoding into UTF-8 with \n line ends and composed
// letters, for files that hold no articles. The encoding that it is said to have
// (gbk, windows-1252; "": none) is taken where the file itself does not tell another.
// Its error is a *RefusedError without a path.
func Decode(data []byte, encoding string) (string, error) { return decode(data, encoding) }

// Encoding reports whether there is an encoding of that name.
func Encoding(name string) bool {
	_, err := htmlindex.Get(strings.ToLower(strings.TrimSpace(name)))
	return err == nil
}
