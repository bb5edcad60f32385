package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo"
	"github.com/roamline/roamline/server"
)

type demoCmd struct {
	Run_ demoRunCmd  `cmd:"" name:"run" default:"withargs" help:"Start the made-up site (the default)."`
	Call demoCallCmd `cmd:"" help:"Let the pretend carrier call a number of the running demo."`
}

type demoRunCmd struct {
	Story  bool   `help:"Needs no browser: a pretend client is called, the person walks, she is called there; exit status 0 only if every voice was heard."`
	Folder string `help:"Where the story leaves recordings and ladders." default:"roamline-story" type:"path"`
	Page   string `help:"Where the demonstration's own page is served." default:"127.0.0.1:8090"`
}

// demoSettings are what the made-up site needs where the environment says
// nothing: a server on loopback that is in nobody's way.
var demoSettings = []string{
	"ROAMLINE_HTTP_LISTEN=127.0.0.1:8080", "ROAMLINE_SIP_UDP=127.0.0.1:5070", "ROAMLINE_SIP_TCP=127.0.0.1:5070",
	"ROAMLINE_VOICE_UDP=127.0.0.1:10000", "ROAMLINE_SITE_NAME=St. Mary's Hospital", "ROAMLINE_SITE_COUNTRY=ES",
}

// storySettings let the story run beside everything: on ports that the system
// chooses.
var storySettings = []string{
	"ROAMLINE_HTTP_LISTEN=127.0.0.1:0", "ROAMLINE_SIP_UDP=127.0.0.1:0", "ROAMLINE_SIP_TCP=127.0.0.1:0",
	"ROAMLINE_VOICE_UDP=127.0.0.1:0", "ROAMLINE_SITE_COUNTRY=ES", "ROAMLINE_LOG_LEVEL=error",
}

// Run starts the demo, or tells its story, on a server of its own whose data
// go with it.
func (c *demoRunCmd) Run(ctx context.Context, w *world) error {
	dir, err := os.MkdirTemp("", "roamline-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	settings := demoSettings
	if c.Story {
		settings = storySettings
	}
	environ := w.environ
	for _, s := range append(slices.Clone(settings), "ROAMLINE_DATA_DIR="+filepath.Join(dir, "data"), "ROAMLINE_STOP_WITHIN=0s", "ROAMLINE_LOG_LEVEL=warn") {
		name, _, _ := strings.Cut(s, "=")
		if !slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
			environ = append(slices.Clone(environ), s)
		}
	}
	cfg, err := config.Load(w.options.Config, environ)
	if err != nil {
		return err
	}
	log := logger(cfg.Log, w.err)
	s, err := server.Start(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer s.Stop(context.WithoutCancel(ctx))
	stopLocal, err := server.ServeLocal(cfg.DataDir, s.Local(), log)
	if err != nil {
		return err
	}
	defer stopLocal(context.WithoutCancel(ctx))
	o := demo.Options{
		Server: s.URL(), SIP: s.Addr("sip.udp").String(), Page: c.Page, Data: cfg.DataDir, Out: w.out, Log: log,
		Admin: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return server.DialLocal(ctx, cfg.DataDir) }},
	}
	if !c.Story {
		return demo.Run(ctx, o)
	}
	ok, err := demo.Story(ctx, demo.StoryOptions{Options: o, Folder: c.Folder})
	if err == nil && !ok {
		return exitStatus(1)
	}
	return err
}

type demoCallCmd struct {
	Number string `arg:"" help:"Whom to call."`
	Page   string `help:"Where the running demonstration's page is." default:"127.0.0.1:8090"`
}

// Run asks the running demo for a call.
func (c *demoCallCmd) Run(ctx context.Context, w *world) error {
	return demo.CallNumber(ctx, c.Page, c.Number, w.out)
}
