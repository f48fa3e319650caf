package wechattest

import "strings"

// checkNews tells what is wrong with an article that the app would show as a card.
func checkNews(n News) []string {
	var problems []string
	if strings.TrimSpace(n.Title) == "" {
		problems = append(problems, "a news card without a title")
	}
	if n.URL == "" {
		problems = append(problems, "a news card that leads nowhere")
	}
	for _, address := range []string{n.URL, n.PicURL} {
		if address != "" && (!webAddress(address) || strings.ContainsAny(address, " \"<>\n")) {
			problems = append(problems, "a link that the app does not open: "+address)
		}
	}
	for _, text := range []string{n.Title, n.Description} {
		if control.MatchString(text) {
			problems = append(problems, "control characters in a news card")
		}
	}
	return problems
}
