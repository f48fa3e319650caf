package label

// A drawing is black and grey on white, with its measures in one unit, y down.
type drawing struct {
	width, height float64
	pixels        bool // the unit; else it is mm
	shapes        []shape
	rules         []rule
}

// A shape is filled with black where its paths wind around.
type shape struct {
	path  []segment
	crisp bool // its edges are not to be smoothed
}

// A rule is a hairline to cut along.
type rule struct{ from, to point }

type point struct{ x, y float64 }

type op byte

const (
	move op = iota // to p[0]
	line
	quad
	cube
	closed
)

type segment struct {
	op op
	p  [3]point
}

func (s segment) points() []point {
	return s.p[:map[op]int{move: 1, line: 1, quad: 2, cube: 3}[s.op]]
}

// placed is a path at another size and place.
func placed(path []segment, scale float64, at point) []segment {
	out := make([]segment, len(path))
	for i, s := range path {
		out[i].op = s.op
		for j, p := range s.p {
			out[i].p[j] = point{at.x + scale*p.x, at.y + scale*p.y}
		}
	}
	return out
}
