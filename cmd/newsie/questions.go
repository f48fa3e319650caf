package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"newsie/bot"
)

func questionsCommand(p *program) *cobra.Command {
	var unanswered, asJSON bool
	var since string
	var limit int
	c := &cobra.Command{
		Use: "questions", Short: "List what readers ask for, the most frequent first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkLimit(limit); err != nil {
				return err
			}
			from, err := parseSince(since, time.Now())
			if err != nil {
				return err
			}
			return p.with(cmd, func(in *installation) error {
				list, err := bot.NewLists(in.db, time.Now).Questions(cmd.Context(), from, unanswered, limit)
				if err != nil {
					return err
				}
				if asJSON {
					if list == nil {
						list = []bot.Question{}
					}
					return p.printJSON(list)
				}
				if len(list) == 0 {
					_, err = fmt.Fprintln(p.stdout, "No questions.")
					return err
				}
				_, _ = fmt.Fprintf(p.stdout, "%6s %8s  %-8s %-12s %-16s %s\n", "times", "results", "lang", "channel", "last", "question")
				for _, q := range list {
					_, _ = fmt.Fprintf(p.stdout, "%6d %8d  %-8s %-12s %-16s %s\n", q.Count, q.Results, q.Lang, q.Channel,
						time.UnixMilli(q.Last).Format("2006-01-02 15:04"), q.Text)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&unanswered, "unanswered", false, "only what finds nothing")
	c.Flags().StringVar(&since, "since", "", "since a day (2026-03-01) or for so long (72h, 30d)")
	c.Flags().IntVar(&limit, "limit", 100, "how many")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// parseSince reads a day, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.UnixMilli(0), nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return day, nil
	}
	var days int
	if n, err := fmt.Sscanf(s, "%dd", &days); err == nil && n == 1 && fmt.Sprintf("%dd", days) == s {
		return now.AddDate(0, 0, -days), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("--since %q is neither a day such as 2026-03-01 nor a time such as 72h or 30d", s)
	}
	return now.Add(-d), nil
}
