package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/server"
)

type serveCmd struct {
	PrintConfig bool `help:"Print the annotated configuration file with every setting at its default, and exit."`
	Check       bool `help:"Check the configuration, and exit."`
}

// closeWithin is what the server gets after its calls are over.
const closeWithin = 10 * time.Second

// Run serves until the context ends (SIGINT, SIGTERM). SIGHUP reads the
// certificates again.
func (c *serveCmd) Run(ctx context.Context, w *world) error {
	if c.PrintConfig {
		_, err := io.WriteString(w.out, config.Annotated())
		return err
	}
	cfg, err := config.Load(w.options.Config, w.environ)
	if err != nil {
		return err
	}
	if c.Check {
		from := "no file"
		if cfg.File != "" {
			from = cfg.File
		}
		return w.done(record{"file": cfg.File, "ok": true}, "The configuration is right (%s).", from)
	}
	return serve(ctx, cfg, logger(cfg.Log, w.err), w.out, w.environ)
}

// logger makes the one log of a running server.
func logger(l config.Log, to io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		panic(err) // config.Load has checked it
	}
	options := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// serve runs a server until ctx ends, then stops it as cfg says.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, out io.Writer, environ []string) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)

	s, err := server.Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	stopLocal, err := server.ServeLocal(cfg.DataDir, s.Local(), log)
	if err == nil {
		err = invite(ctx, s, out)
		if err == nil {
			notify(environ, "READY=1", log)
			run(ctx, hangup, s, log)
			notify(environ, "STOPPING=1", log)
		}
		// Before the data folder is free for another server, which would find
		// this one's socket alive.
		stopLocal(context.WithoutCancel(ctx))
	}
	ended, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.StopWithin+closeWithin)
	defer cancel()
	s.Stop(ended)
	return err
}

// invite prints the link that makes the first administrator, as long as there
// is none. It goes to the operator's screen and not to the log.
func invite(ctx context.Context, s *server.Server, out io.Writer) error {
	link, err := s.SetupLink(ctx)
	if err == nil && link != "" {
		fmt.Fprintf(out, "Nobody administers this server yet. Open this link once, and become the administrator:\n\n  %s\n\n", link)
	}
	return err
}

// run waits for the end, and reads the certificates again when it is told to.
func run(ctx context.Context, hangup <-chan os.Signal, s *server.Server, log *slog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			if err := s.Reload(); err != nil {
				log.Error("certificates stay as they are", "error", err)
			} else {
				log.Info("certificates read again")
			}
		}
	}
}

// notify tells systemd how far we are (sd_notify(3)); elsewhere it does
// nothing.
func notify(environ []string, state string, log *slog.Logger) {
	for _, e := range environ {
		path, ok := strings.CutPrefix(e, "NOTIFY_SOCKET=")
		if !ok || path == "" {
			continue
		}
		c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
		if err == nil {
			_, err = fmt.Fprint(c, state)
			c.Close()
		}
		if err != nil {
			log.Warn("systemd was not told", "state", state, "error", err)
		}
	}
}
