// Command newsie puts a publisher's articles where the readers already chat.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // readers' zones work on a machine without zone files

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintln(os.Stderr, "newsie:", err)
		}
		os.Exit(1)
	}
}

// errReported ends the program with status 1 after everything was said.
var errReported = errors.New("the errors above")

// A program is one run of the command line.
type program struct {
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
	configPath     string
	data           string
	database       string
}

func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	p := &program{environ: environ, stdin: stdin, stdout: stdout, stderr: stderr}
	root := &cobra.Command{
		Use:   "newsie",
		Short: "Puts a publisher's articles where the readers already chat",
		Long: `newsie answers readers of WeChat, Telegram and a chat in the browser with a
publisher's articles, and sends them digests at the hour they chose.

Try it:  newsie serve --demo`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return numbered(err) })
	root.SetVersionTemplate("newsie {{.Version}}\n")
	flags := root.PersistentFlags()
	flags.StringVar(&p.configPath, "config", "", "configuration file (default ./newsie.yaml when it exists; NEWSIE_CONFIG)")
	flags.StringVar(&p.data, "data", "", "folder that holds all state (default ./newsie-data; NEWSIE_DATA)")
	flags.StringVar(&p.database, "database", "", "postgres://… instead of SQLite in the data folder (NEWSIE_DATABASE)")
	root.AddCommand(
		serveCommand(p), importCommand(p), searchCommand(p), suggestCommand(p), articleCommand(p), questionsCommand(p), rulesCommand(p), evalCommand(p),
		originCommand(p), digestCommand(p), deliveriesCommand(p), sendCommand(p), pinCommand(p), unpinCommand(p), userCommand(p), channelCommand(p), wechatCommand(p), doctorCommand(p),
		backupCommand(p), restoreCommand(p), migrateStoreCommand(p), configCommand(p), versionCommand(p),
	)
	return root.ExecuteContext(ctx)
}

// config reads the configuration and puts the flags over it.
func (p *program) config() (Config, error) {
	path := p.configPath
	if path == "" {
		path = p.getenv("NEWSIE_CONFIG")
	}
	environ := p.environ
	if p.data != "" {
		environ = append(environ[:len(environ):len(environ)], "NEWSIE_DATA="+p.data)
	}
	if p.database != "" {
		environ = append(environ[:len(environ):len(environ)], "NEWSIE_DATABASE="+p.database)
	}
	return loadConfig(path, environ)
}

func (p *program) getenv(name string) string {
	for i := len(p.environ) - 1; i >= 0; i-- {
		if key, value, _ := cut(p.environ[i]); key == name {
			return value
		}
	}
	return ""
}

func cut(entry string) (key, value string, ok bool) {
	for i := range entry {
		if entry[i] == '=' {
			return entry[:i], entry[i+1:], true
		}
	}
	return entry, "", false
}

func versionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, "newsie", version())
			return err
		},
	}
}

// version is the module's version, or the revision it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 && v == "(devel)" {
			v += " " + setting.Value[:12]
		}
	}
	return v + " " + info.GoVersion
}

// numbered says of a flag that wants a number in plain words that it has none.
func numbered(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	switch invalid.GetFlag().Value.Type() {
	case "int", "int64":
		return fmt.Errorf("--%s: %q is not a number", invalid.GetFlag().Name, invalid.GetValue())
	}
	return err
}
