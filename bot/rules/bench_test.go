package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"newsie/bot/rules"
)

// many makes n rules of all three kinds, half of them Chinese, and what each
// keyword is.
func many(n int) (file string, keywords []string) {
	var b strings.Builder
	han := []rune("茶酒米油盐酱醋糖面饭菜汤鱼肉蛋奶瓜果豆花")
	for i := range n {
		word := fmt.Sprintf("topic%d", i)
		if i%2 == 0 {
			word = string([]rune{han[i%20], han[i/20%20], han[i/400%20], han[i/8000%20]})
		}
		keywords = append(keywords, word)
		fmt.Fprintf(&b, "- {keywords: %q, match: %s, text: t}\n", word, []rules.Match{rules.Exact, rules.Prefix, rules.Contains}[i%3])
	}
	return b.String(), keywords
}

func TestTenThousandRulesFindTheirKeywords(t *testing.T) {
	file, keywords := many(rules.MaxRules)
	set := parse(t, file)
	for i, word := range keywords {
		text := []string{word, word + " 好", "请问 " + word + " 在哪里"}[i%3]
		if _, ok := set.Match(rules.Message{Text: text}); !ok {
			t.Fatalf("rule %d does not answer %q", i, text)
		}
	}
}

// BenchmarkMatch compares 10,000 rules looked up with the same rules tried one
// after the other.
func BenchmarkMatch(b *testing.B) {
	file, keywords := many(rules.MaxRules)
	set := parse(b, file)
	messages := map[string]string{
		"exact":    keywords[9999],
		"contains": "请问" + keywords[5000] + "什么时候有？我们想知道一下",
		"nothing":  "Could you tell me, please, when the next issue of the magazine is going to appear?",
	}
	for _, name := range []string{"exact", "contains", "nothing"} {
		text := messages[name]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				set.Match(rules.Message{Text: text})
			}
		})
		b.Run(name+"/naive", func(b *testing.B) {
			for b.Loop() {
				folded := strings.ToLower(text)
				best := -1
				for i, word := range keywords {
					fits := false
					switch i % 3 {
					case 0:
						fits = folded == word
					case 1:
						fits = strings.HasPrefix(folded, word)
					case 2:
						fits = strings.Contains(folded, word)
					}
					if fits && (best < 0 || len(word) > len(keywords[best])) {
						best = i
					}
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	file, _ := many(rules.MaxRules)
	b.ReportAllocs()
	for b.Loop() {
		parse(b, file)
	}
}
