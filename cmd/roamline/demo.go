package main

import (
	"context"
)

type demoCmd struct {
	Run_ demoRunCmd  `cmd:"" name:"run" default:"withargs" help:"Start the made-up site (the default)."`
	Call demoCallCmd `cmd:"" help:"Let the pretend carrier call a number of the running demo."`
}

type demoRunCmd struct {
	Story bool `help:"Needs no browser: a pretend client is called, the person walks, she is called there; exit status 0 only if every voice was heard."`
}

// Run starts the demo, or tells its story.
func (c *demoRunCmd) Run(ctx context.Context, w *world) error {
	return &failure{why: "this build has no demo"}
}

type demoCallCmd struct {
	Number string `arg:"" help:"Whom to call."`
}

// Run asks the running demo for a call.
func (c *demoCallCmd) Run(ctx context.Context, w *world) error {
	return &failure{why: "this build has no demo"}
}
