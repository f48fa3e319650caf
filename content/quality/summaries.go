package quality

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"newsie/content"
	"newsie/content/language"
	"newsie/content/sentence"
	"newsie/content/summary"
)

// A SummaryReport says how close the summaries come to those that people wrote,
// and how close the openings of the same texts come that are as long.
//
// The rule of equal length: what opens the text is cut, item by item, after as
// many words as our summary has (characters, for Chinese, Japanese and Korean),
// so it can win by what it says but not by how much. Lead1 and Lead3 are the
// first sentence and the first three, so cut; where they are shorter than ours
// they stay as short, which Length shows. Lead goes on to exactly our length,
// however many sentences that takes.
type SummaryReport struct {
	Set   string       `json:"set"` // the caller's name for it
	Items int          `json:"items"`
	Ours  SummaryScore `json:"ours"`
	Lead1 SummaryScore `json:"lead1"`
	Lead3 SummaryScore `json:"lead3"`
	Lead  SummaryScore `json:"lead"`
}

// A SummaryScore is the mean over all items; Length is in words or wide
// characters.
type SummaryScore struct {
	Rouge
	Length float64 `json:"length"`
}

// Summaries reads one JSON object a line, with text and summary and, if known,
// title and lang, and measures our summary of each text by the one given. A
// text is summarised the way an imported article is: each line of it is a
// paragraph, and its language is seen from the text where none is given. An
// error names the line.
func Summaries(r io.Reader) (SummaryReport, error) {
	var report SummaryReport
	err := lines(r, func(line []byte) error {
		var item summaryItem
		if err := item.read(line); err != nil {
			return err
		}
		report.add(item)
		return nil
	})
	if err != nil {
		return SummaryReport{}, err
	}
	if report.Items == 0 {
		return SummaryReport{}, errors.New("no texts to summarise")
	}
	for _, score := range report.scores() {
		score.divide(float64(report.Items))
	}
	return report, nil
}

type summaryItem struct {
	Text    string `json:"text"`
	Summary string `json:"summary"`
	Title   string `json:"title"`
	Lang    string `json:"lang"`
}

func (i *summaryItem) read(line []byte) error {
	if err := json.Unmarshal(line, i); err != nil {
		return err
	}
	switch {
	case strings.TrimSpace(i.Text) == "":
		return errors.New(`no "text"`)
	case strings.TrimSpace(i.Summary) == "":
		return errors.New(`no "summary"`)
	}
	// Which Chinese it is is always seen from the text, as at import.
	if i.Lang == "" || language.Base(i.Lang) == "zh" {
		i.Lang = language.Detect(i.Title + "\n" + i.Text)
	}
	return nil
}

// add sums up the scores of an item.
func (s *SummaryReport) add(item summaryItem) {
	var body []content.Block
	for line := range strings.Lines(item.Text) {
		if line = strings.TrimSpace(line); line != "" {
			body = append(body, content.Block{Kind: content.Paragraph, Text: line})
		}
	}
	ours := tokens(summary.Summarize(item.Lang, item.Title, body, ""))
	reference := tokens(item.Summary)
	opening := func(end int) []string {
		words := tokens(item.Text[:end])
		return words[:min(len(words), len(ours))]
	}
	sentences := sentence.Split(item.Lang, item.Text)
	lead := func(n int) []string {
		if n = min(n, len(sentences)); n == 0 {
			return nil
		}
		return opening(sentences[n-1].End)
	}
	s.Items++
	s.Ours.add(ours, reference)
	s.Lead1.add(lead(1), reference)
	s.Lead3.add(lead(3), reference)
	s.Lead.add(opening(len(item.Text)), reference)
}

func (s *SummaryReport) scores() []*SummaryScore {
	return []*SummaryScore{&s.Ours, &s.Lead1, &s.Lead3, &s.Lead}
}

func (s *SummaryScore) add(text, reference []string) {
	r := compare(text, reference)
	s.One += r.One
	s.Two += r.Two
	s.L += r.L
	s.Length += float64(len(text))
}

func (s *SummaryScore) divide(n float64) {
	s.One /= n
	s.Two /= n
	s.L /= n
	s.Length /= n
}
