package main

import (
	"context"
	"net/http"
)

type systemCmds struct {
	List   systemListCmd   `cmd:"" help:"List systems."`
	Add    systemAddCmd    `cmd:"" help:"Trust a system, and make its credential, which is shown this once."`
	Secret systemSecretCmd `cmd:"" help:"Make a new credential; the former one is good for a day more."`
	Remove systemRemoveCmd `cmd:"" help:"Trust a system no longer."`
}

type systemListCmd struct {
	Match string `arg:"" optional:"" help:"Only those whose name holds this."`
}

// Run lists systems.
func (c *systemListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		systems, err := a.all(ctx, "/systems", matching(c.Match))
		if err != nil {
			return err
		}
		names := map[string]string{}
		for _, list := range []string{"/places", "/clients"} {
			all, err := a.all(ctx, list, nil)
			if err != nil {
				return err
			}
			for _, r := range all {
				names[str(r, "id")] = str(r, "name")
			}
		}
		named := func(title, list string) column {
			return column{title, func(r record) string {
				ids, _ := r[list].([]any)
				called := make([]any, 0, len(ids))
				for _, id := range ids {
					text, _ := id.(string)
					if name := names[text]; name != "" {
						text = name
					}
					called = append(called, text)
				}
				return show(called)
			}}
		}
		return w.table(systems, "No system is trusted. Add one: roamline system add NAME --place PLACE",
			field("NAME", "name"), field("ENABLED", "enabled"), named("PLACES", "places"), named("CLIENTS", "clients"),
			field("FORMER SECRET UNTIL", "formerUntil"), field("ID", "id"))
	})
}

type systemAddCmd struct {
	Name   string   `arg:"" help:"Such as 'Badge doors'; it stands in the history."`
	Place  []string `help:"It may speak for the clients there, and at places within: name or identifier. Repeat it." placeholder:"PLACE" sep:"none"`
	Client []string `help:"It may speak for this client: name or identifier. Repeat it." placeholder:"CLIENT" sep:"none"`
}

// Run adds a system and makes its first secret.
func (c *systemAddCmd) Run(ctx context.Context, w *world) error {
	if len(c.Place)+len(c.Client) == 0 {
		return &failure{why: "a system needs clients that it may speak for", todo: "Give --place PLACE or --client CLIENT"}
	}
	return w.with(ctx, func(a *api) error {
		places, err := identifiers(ctx, c.Place, a.place)
		if err != nil {
			return err
		}
		clients, err := identifiers(ctx, c.Client, a.client)
		if err != nil {
			return err
		}
		var made, secret record
		err = a.send(ctx, http.MethodPost, "/systems", record{"name": c.Name, "enabled": true, "places": places, "clients": clients}, &made)
		if err != nil {
			return err
		}
		if err := a.send(ctx, http.MethodPost, path("/systems", made)+"/secret", nil, &secret); err != nil {
			return err
		}
		made["credential"] = secret["credential"]
		return w.done(made, "Added %s (%s). Its credential, shown this once:\n%s", oneLine(c.Name), str(made, "id"), str(secret, "credential"))
	})
}

func identifiers(ctx context.Context, names []string, find func(context.Context, string) (record, error)) ([]string, error) {
	ids := []string{}
	for _, name := range names {
		r, err := find(ctx, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, str(r, "id"))
	}
	return ids, nil
}

type systemSecretCmd struct {
	System string `arg:"" help:"Name or identifier."`
	AtOnce bool   `help:"The former credential is no longer good: it became known."`
}

// Run makes a new secret.
func (c *systemSecretCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		y, err := a.system(ctx, c.System)
		if err != nil {
			return err
		}
		to := path("/systems", y) + "/secret"
		if c.AtOnce {
			to += "?atOnce=true"
		}
		var secret record
		if err := a.send(ctx, http.MethodPost, to, nil, &secret); err != nil {
			return err
		}
		if secret["formerUntil"] == nil {
			return w.done(secret, "%s\nIt is shown this once, and no other is good.", str(secret, "credential"))
		}
		return w.done(secret, "%s\nIt is shown this once. The former one is good until %s.", str(secret, "credential"), show(secret["formerUntil"]))
	})
}

type systemRemoveCmd struct {
	System string `arg:"" help:"Name or identifier."`
}

// Run removes a system.
func (c *systemRemoveCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		y, err := a.system(ctx, c.System)
		if err != nil {
			return err
		}
		if err := a.remove(ctx, path("/systems", y)); err != nil {
			return err
		}
		return w.done(y, "%s is trusted no longer. Whoever it signed in stays so.", oneLine(str(y, "name")))
	})
}

func (a *api) system(ctx context.Context, name string) (record, error) {
	return a.find(ctx, "/systems", "s_", name, "name")
}
