package main

import (
	"context"
	"net/http"
)

type placeCmds struct {
	List placeListCmd `cmd:"" help:"List places."`
	Add  placeAddCmd  `cmd:"" help:"Add a place."`
}

type placeListCmd struct {
	Match string `arg:"" optional:"" help:"Only those whose name holds this."`
}

// Run lists places.
func (c *placeListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		all, err := a.all(ctx, "/places", nil)
		if err != nil {
			return err
		}
		names := make(map[string]string)
		for _, p := range all {
			names[str(p, "id")] = str(p, "name")
		}
		shown := all
		if c.Match != "" {
			if shown, err = a.all(ctx, "/places", matching(c.Match)); err != nil {
				return err
			}
		}
		return w.table(shown, "No place. Add one: roamline place add NAME",
			field("NAME", "name"), column{"WITHIN", func(r record) string { return names[str(r, "within")] }}, field("ID", "id"))
	})
}

type placeAddCmd struct {
	Name   string `arg:"" help:"Such as 'Ward 3'."`
	Within string `help:"The place around it: name or identifier." placeholder:"PLACE"`
}

// Run adds a place.
func (c *placeAddCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		p := record{"name": c.Name}
		if c.Within != "" {
			around, err := a.place(ctx, c.Within)
			if err != nil {
				return err
			}
			p["within"] = str(around, "id")
		}
		var made record
		if err := a.send(ctx, http.MethodPost, "/places", p, &made); err != nil {
			return err
		}
		return w.done(made, "Added %s (%s).", oneLine(str(made, "name")), str(made, "id"))
	})
}
