package main

import (
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"
)

//go:embed newsie.example.yaml
var exampleConfig string

func configCommand(p *program) *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check the configuration, or print an example", Args: cobra.NoArgs}
	c.AddCommand(
		&cobra.Command{Use: "example", Short: "Print an annotated newsie.yaml", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.stdout, exampleConfig)
			return err
		}},
		&cobra.Command{Use: "check", Short: "Report everything that is wrong with the configuration", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error {
			if _, err := p.config(); err != nil {
				return err
			}
			_, err := fmt.Fprintln(p.stdout, "The configuration is good.")
			return err
		}},
	)
	return c
}
