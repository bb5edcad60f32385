package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

type numberCmds struct {
	List   numberListCmd   `cmd:"" help:"List numbers and whom they lead to."`
	Add    numberAddCmd    `cmd:"" help:"Let a number lead to a person."`
	Remove numberRemoveCmd `cmd:"" help:"Remove a number."`
}

type numberListCmd struct {
	Match string `arg:"" optional:"" help:"Only those that hold this."`
}

// Run lists numbers.
func (c *numberListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		numbers, err := a.all(ctx, "/numbers", matching(c.Match))
		if err != nil {
			return err
		}
		return w.table(numbers, "No number leads anywhere. Add one: roamline number add NUMBER USER",
			field("NUMBER", "number"), column{"LEADS TO", func(r record) string {
				to, _ := r["to"].(record)
				if name := str(r, "toName"); name != "" {
					return name + " (" + str(to, "id") + ")"
				}
				return str(to, "id")
			}})
	})
}

type numberAddCmd struct {
	Number string `arg:"" help:"As people write it: +34 910 000 001, or an extension such as 1001."`
	User   string `arg:"" help:"Whom it leads to: login or identifier."`
}

// Run lets a number lead to a user.
func (c *numberAddCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		u, err := a.user(ctx, c.User)
		if err != nil {
			return err
		}
		var made record
		err = a.send(ctx, http.MethodPost, "/numbers", record{"number": c.Number, "to": record{"kind": "user", "id": str(u, "id")}}, &made)
		if err != nil {
			return err
		}
		return w.done(made, "%s leads to %s.", str(made, "number"), oneLine(str(u, "login")))
	})
}

type numberRemoveCmd struct {
	Number string `arg:"" help:"As roamline number list shows it; spaces do not matter."`
}

// Run removes a number.
func (c *numberRemoveCmd) Run(ctx context.Context, w *world) error {
	typed := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(c.Number)
	return w.with(ctx, func(a *api) error {
		err := a.remove(ctx, "/numbers/"+url.PathEscape(typed))
		if errors.Is(err, errNotFound) {
			return &failure{why: "no number " + c.Number + " is listed", todo: "See: roamline number list", err: err}
		}
		if err != nil {
			return err
		}
		return w.done(record{"number": typed}, "%s leads nowhere from now on.", typed)
	})
}
