package main

import (
	"github.com/spf13/cobra"
)

func originCommand(p *program) *cobra.Command {
	c := &cobra.Command{
		Use: "origin", Short: "Say where readers come from, and see what each place brought",
		Args: subcommand, RunE: showHelp,
	}
	c.AddCommand(originQR(p))
	return c
}
