package label

import (
	"errors"
	"fmt"

	"github.com/skip2/go-qrcode"
)

// quiet is the width of the white around a code, in modules; readers need it.
const quiet = 4

// Widths of a module. Below fine a code gets the next lower error correction,
// which needs fewer modules; below finest it is refused: printers of 300 dpi
// have four dots then.
const (
	fineMM, finestMM         = 0.5, 0.33
	finePixels, finestPixels = 4, 2
)

// modules are a code's, without the white around: rows from the top, true is dark.
type modules [][]bool

func (m modules) across() float64 { return float64(len(m) + 2*quiet) }

// encode makes the code that is printed so wide, with the white around it.
func encode(text string, width float64, pixels bool) (modules, error) {
	if text == "" {
		return nil, errors.New("a code must say something")
	}
	for _, r := range text {
		if r < ' ' || r > '~' {
			return nil, fmt.Errorf("a code says printable ASCII, not %q", text)
		}
	}
	fine, finest := fineMM, finestMM
	if pixels {
		fine, finest = finePixels, finestPixels
	}
	m, err := matrix(text, qrcode.High) // Q: it may lose a quarter
	if more, moreErr := matrix(text, qrcode.Highest); err == nil && moreErr == nil && len(more) == len(m) {
		m = more // H, when there is room: 30 %
	}
	if err != nil || width/m.across() < fine {
		less, lessErr := matrix(text, qrcode.Medium) // M: 15 %
		if lessErr != nil {
			return nil, lessErr
		}
		if err != nil || len(less) < len(m) {
			m = less
		}
	}
	if width/m.across() < finest {
		unit := "mm"
		if pixels {
			unit = "pixels"
		}
		return nil, fmt.Errorf("%w: %d modules in %.4g %s", ErrTooSmall, len(m)+2*quiet, width, unit)
	}
	return m, nil
}

func matrix(text string, level qrcode.RecoveryLevel) (modules, error) {
	code, err := qrcode.New(text, level)
	if err != nil {
		return nil, fmt.Errorf("make a QR code of %d characters: %w", len(text), err)
	}
	code.DisableBorder = true
	return code.Bitmap(), nil
}

// outline is the edge of the dark modules, as closed paths that have dark on
// their right: one shape, in which no viewer shows seams as it does between
// neighbouring squares.
func (m modules) outline(x, y, module float64) []segment {
	dark := func(c, r int) bool { return r >= 0 && r < len(m) && c >= 0 && c < len(m) && m[r][c] }
	// From each corner of the grid, in which directions an edge leaves it.
	const right, down, left, up = 1, 2, 4, 8
	n := len(m) + 1
	leaves := make([]int, n*n)
	for r := range n {
		for c := range n {
			at := r*n + c
			if dark(c, r) && !dark(c, r-1) {
				leaves[at] |= right
			}
			if dark(c-1, r) && !dark(c, r) {
				leaves[at] |= down
			}
			if dark(c-1, r-1) && !dark(c-1, r) {
				leaves[at] |= left
			}
			if dark(c, r-1) && !dark(c-1, r-1) {
				leaves[at] |= up
			}
		}
	}
	step := map[int]int{right: 1, down: n, left: -1, up: -n}
	var path []segment
	for start := range leaves {
		for leaves[start] != 0 {
			at, way, op := start, 0, move
			for {
				next := leaves[at]
				if next == 0 {
					break // it is closed
				}
				if next&(next-1) != 0 {
					// Two dark modules touch at this corner alone: stay at the one
					// that the edge came along, by turning right.
					next = map[int]int{right: down, down: left, left: up, up: right, 0: next & -next}[way]
				}
				if next != way {
					path = append(path, segment{op: op, p: [3]point{{x + float64(at%n)*module, y + float64(at/n)*module}}})
					op = line
				}
				leaves[at] &^= next
				at, way = at+step[next], next
			}
			path = append(path, segment{op: closed})
		}
	}
	return path
}
