// Command roamline is the telephone server and everything an administrator
// does with it. Commands that read or change the site speak the HTTP API: of
// the running server through its local socket, else of its data, in-process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

type cli struct {
	Config string `help:"The configuration file (default: /etc/roamline/roamline.toml if it is there)." placeholder:"FILE" type:"path"`
	JSON   bool   `help:"Print JSON, for scripts." name:"json"`

	Serve      serveCmd      `cmd:"" help:"Run the server."`
	Demo       demoCmd       `cmd:"" help:"Run a made-up site with a pretend carrier, to try everything on one machine."`
	Doctor     doctorCmd     `cmd:"" help:"Check everything that must be right, and say how to mend what is not."`
	User       userCmds      `cmd:"" help:"People: their accounts, passwords, PINs, and where they are."`
	Number     numberCmds    `cmd:"" help:"Numbers and whom they lead to."`
	Client     clientCmds    `cmd:"" help:"Machines that people use: browsers and SIP phones."`
	Place      placeCmds     `cmd:"" help:"Where machines stand."`
	Trunk      trunkCmds     `cmd:"" help:"Contracts with carriers and PBXs."`
	System     systemCmds    `cmd:"" help:"Programs outside that are trusted to say who is where."`
	Calls      callsCmds     `cmd:"" help:"Calls: those that run, those that were, and the story of each."`
	Import     importCmd     `cmd:"" help:"Make users and numbers from a CSV file, all or none."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
	Completion completionCmd `cmd:"" help:"Print the completion script for a shell."`
	Complete   completeCmd   `cmd:"" name:"complete-words" hidden:""`
}

// A world is all that commands touch outside themselves.
type world struct {
	environ []string
	in      io.Reader
	out     io.Writer
	err     io.Writer

	// readHidden reads a line from the terminal without echo; nil if in is none.
	readHidden func(prompt string) (string, error)

	options *cli
	model   *kong.Kong
	doing   string // "user add"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := &world{environ: os.Environ(), in: os.Stdin, out: os.Stdout, err: os.Stderr}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		w.readHidden = func(prompt string) (string, error) {
			fmt.Fprint(os.Stderr, prompt)
			b, err := term.ReadPassword(int(os.Stdin.Fd()))
			fmt.Fprintln(os.Stderr)
			return string(b), err
		}
	}
	os.Exit(w.run(ctx, os.Args[1:]))
}

// run carries out one command line and returns its exit status: 0, or 1 with
// the reason on w.err.
func (w *world) run(ctx context.Context, args []string) int {
	w.options = &cli{}
	exit := -1
	parser, err := kong.New(w.options, kong.Name("roamline"), kong.Description("A telephone server whose line follows the person."),
		kong.Writers(w.out, w.err), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(w))
	if err != nil {
		panic(err) // the structs above are wrong; every test sees it
	}
	w.model = parser
	if len(args) == 0 {
		args = []string{"--help"}
	}
	line, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help
	}
	if err != nil {
		fmt.Fprintf(w.err, "roamline: %s. Try: roamline %s--help\n", strings.TrimSuffix(err.Error(), "."), commandOf(err))
		return 1
	}
	w.doing = doing(line)
	err = line.Run()
	var quiet exitStatus
	switch {
	case errors.As(err, &quiet):
		return int(quiet)
	case err != nil:
		fmt.Fprintln(w.err, "roamline: "+w.explain(err))
		return 1
	}
	return 0
}

// An exitStatus ends the program when everything has been said.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// doing returns the command's words, without its arguments.
func doing(line *kong.Context) string {
	var words []string
	for word := range strings.FieldsSeq(line.Command()) {
		if !strings.HasPrefix(word, "<") {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

func commandOf(err error) string {
	var at *kong.ParseError
	if errors.As(err, &at) && at.Context != nil {
		if words := doing(at.Context); words != "" {
			return words + " "
		}
	}
	return ""
}
