package main

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

//go:embed newsie.example.yaml
var exampleConfig string

// subcommand refuses what is no command of a group, and says which was meant.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	message := fmt.Sprintf("%q is no command of %s", args[0], c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%s; did you mean %s?", message, strings.Join(near, " or "))
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fmt.Errorf("%s, which has %s", message, strings.Join(names, ", "))
}

func showHelp(c *cobra.Command, _ []string) error { return c.Help() }

func configCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check the configuration, or print an example", Args: subcommand, RunE: showHelp}
	c.AddCommand(
		&cobra.Command{Use: "example", Short: "Print an annotated newsie.yaml", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.stdout, exampleConfig)
			return err
		}},
		configCheck(p),
	)
	return c
}

func configCheck(p *program) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "check", Short: "Report everything that is wrong with the configuration", Args: cobra.NoArgs,
		Long: `Check reads the configuration, the variables and the files that they name, and
reports every mistake with its line. The exit status is 1 when there is one. With
--json it prints a list of {"where", "what"}; what may stay as it is has
"note": true.`,
		RunE: func(*cobra.Command, []string) error {
			config, err := p.config()
			var problems ConfigProblems
			if err != nil && !errors.As(err, &problems) {
				return err
			}
			if err == nil {
				problems = config.missingFolders()
			}
			problems = append(problems, config.synonymProblems()...)
			problems = append(problems, config.ruleProblems()...)
			notes := config.notes()
			if asJSON {
				return p.configJSON(problems, notes)
			}
			if len(problems) > 0 {
				return problems
			}
			for _, note := range notes {
				_, _ = fmt.Fprintf(p.stdout, "note: %s: %s\n", note.Where, note.What)
			}
			_, err = fmt.Fprintln(p.stdout, "The configuration is good.")
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// configJSON prints what is wrong as scripts read it.
func (p *program) configJSON(problems, notes ConfigProblems) error {
	type problemJSON struct {
		Where string `json:"where"`
		What  string `json:"what"`
		Note  bool   `json:"note,omitempty"`
	}
	list := []problemJSON{}
	for _, problem := range problems {
		list = append(list, problemJSON{Where: problem.Where, What: problem.What})
	}
	for _, note := range notes {
		list = append(list, problemJSON{note.Where, note.What, true})
	}
	if err := p.printJSON(list); err != nil || len(problems) == 0 {
		return err
	}
	return errReported
}
