package label

// Wrapped are the lines of a name in a width, in heights of a letter, and how wide they are.
func Wrapped(p *Printer, words string, width float64, most int) (lines []string, widths []float64, err error) {
	texts, err := p.fonts.setter(p.fonts.regular, words).wrap(oneLine(words), width, most)
	for _, t := range texts {
		lines, widths = append(lines, t.words), append(widths, t.width)
	}
	return lines, widths, err
}

// Outline is what a line is drawn with.
func Outline(p *Printer, words string) (path []float64, width float64, err error) {
	t, err := p.fonts.setter(p.fonts.regular, words).set(words)
	for _, s := range t.path {
		for _, p := range s.points() {
			path = append(path, p.x, p.y)
		}
	}
	return path, t.width, err
}

// Ranked orders font files by how they suit a text.
func Ranked(p *Printer, words string, files ...string) (names []string) {
	var list []*candidate
	for _, file := range files {
		list = append(list, &candidate{path: file, name: plain(file)})
	}
	for _, c := range ranked(list, p.fonts.writing(words)) {
		names = append(names, c.path)
	}
	return names
}

var SystemFolders = systemFolders
