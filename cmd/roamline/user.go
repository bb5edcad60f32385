package main

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
)

type userCmds struct {
	List     userListCmd     `cmd:"" help:"List people."`
	Show     userShowCmd     `cmd:"" help:"Show a person, and where she is."`
	Add      userAddCmd      `cmd:"" help:"Add a person, with numbers and secrets at once."`
	Set      userSetCmd      `cmd:"" help:"Change a person."`
	Remove   userRemoveCmd   `cmd:"" help:"Remove a person and her numbers."`
	Password userPasswordCmd `cmd:"" help:"Set a person's password."`
	PIN      userPINCmd      `cmd:"" name:"pin" help:"Set a person's PIN."`
	Put      userPutCmd      `cmd:"" help:"Put a person at a client, as if she had identified there."`
	Release  userReleaseCmd  `cmd:"" help:"Sign a person out wherever she is."`
}

var userColumns = []column{field("LOGIN", "login"), field("NAME", "name"), field("NUMBERS", "numbers"),
	field("ROLES", "roles"), field("DISABLED", "disabled"), field("ID", "id")}

type userListCmd struct {
	Match string `arg:"" optional:"" help:"Only those whose name or login holds this."`
}

// Run lists users.
func (c *userListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		users, err := a.all(ctx, "/users", matching(c.Match))
		if err != nil {
			return err
		}
		return w.table(users, "Nobody. Add somebody: roamline user add LOGIN --name NAME --number NUMBER", userColumns...)
	})
}

func matching(s string) url.Values {
	if s == "" {
		return nil
	}
	return url.Values{"match": {s}}
}

type userShowCmd struct {
	User string `arg:"" help:"Login or identifier."`
}

// Run shows a user and her bindings.
func (c *userShowCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		u, err := a.user(ctx, c.User)
		if err != nil {
			return err
		}
		here, err := a.bindingsOf(ctx, u)
		if err != nil {
			return err
		}
		var at []any
		for _, b := range here {
			at = append(at, str(b, "clientName")+" since "+show(b["since"]))
		}
		u["at"] = at
		return w.sheet(u, slices.Concat([]column{field("Login", "login"), field("Name", "name"), field("Numbers", "numbers"),
			field("Caller ID", "callerId"), field("Language", "language"), field("Roles", "roles"), field("Disabled", "disabled"),
			field("Is at", "at")}, callColumns(), []column{field("Created", "created"), field("ID", "id")})...)
	})
}

// bindingsOf returns where a user is now.
func (a *api) bindingsOf(ctx context.Context, user record) ([]record, error) {
	all, err := a.all(ctx, "/bindings", nil)
	if err != nil {
		return nil, err
	}
	var found []record
	for _, b := range all {
		if str(b, "user") == str(user, "id") {
			found = append(found, b)
		}
	}
	return found, nil
}

type userAddCmd struct {
	Login         string   `arg:"" help:"What she types to sign in."`
	Name          string   `help:"As displayed. Default: the login."`
	Number        []string `help:"A number or extension that leads to her; may be repeated." placeholder:"NUMBER"`
	CallerID      string   `help:"Shown when she calls out. Default: her first number." placeholder:"NUMBER"`
	Language      string   `help:"Such as en or es-ES. Default: the site's." placeholder:"TAG"`
	Administrator bool     `help:"She may administer the site."`
	PasswordFile  string   `help:"Her password is the first line of this file; - is standard input." placeholder:"FILE"`
	PINFile       string   `name:"pin-file" help:"Her PIN is the first line of this file; - is standard input." placeholder:"FILE"`
	NoPassword    bool     `help:"Do not ask for a password."`
}

// Run adds a user. On a terminal it asks for her password.
func (c *userAddCmd) Run(ctx context.Context, w *world) error {
	if c.PasswordFile == "-" && c.PINFile == "-" {
		return &failure{why: "password and PIN can't both come from standard input", todo: "Set one of them afterwards: roamline user pin " + c.Login}
	}
	u := record{"login": c.Login, "name": c.Name}
	if c.Name == "" {
		u["name"] = c.Login
	}
	if len(c.Number) > 0 {
		u["numbers"] = c.Number
	}
	put(u, "callerId", c.CallerID)
	put(u, "language", c.Language)
	if c.Administrator {
		u["roles"] = []string{"administrator"}
	}
	var err error
	if c.PasswordFile != "" || w.readHidden != nil && !c.NoPassword {
		if u["password"], err = w.secret("password", c.PasswordFile); err != nil {
			return err
		}
	}
	if c.PINFile != "" {
		if u["pin"], err = w.secret("PIN", c.PINFile); err != nil {
			return err
		}
	}
	return w.with(ctx, func(a *api) error {
		var made record
		if err := a.send(ctx, http.MethodPost, "/users", u, &made); err != nil {
			return err
		}
		if u["password"] == nil && !w.options.JSON {
			defer w.done(nil, "She has no password yet: roamline user password %s", c.Login)
		}
		return w.done(made, "Added %s (%s).", oneLine(str(made, "name")), str(made, "id"))
	})
}

// put sets a field that was given.
func put(r record, field, value string) {
	if value != "" {
		r[field] = value
	}
}

type userSetCmd struct {
	User          string   `arg:"" help:"Login or identifier."`
	Login         string   `help:"A new login."`
	Name          *string  `help:"As displayed."`
	Number        []string `help:"All the numbers that lead to her from now on." placeholder:"NUMBER"`
	CallerID      *string  `help:"Shown when she calls out; empty: her first number." placeholder:"NUMBER"`
	Language      *string  `help:"Such as en or es-ES; empty: the site's." placeholder:"TAG"`
	Administrator *bool    `help:"She may administer the site." negatable:""`
	Disabled      *bool    `help:"She may not sign in, and calls to her are refused." negatable:""`

	callFlags
}

// Run changes what was given and nothing else.
func (c *userSetCmd) Run(ctx context.Context, w *world) error {
	calls := record{}
	if err := c.callFlags.put(calls); err != nil {
		return err
	}
	return w.with(ctx, func(a *api) error {
		u, err := a.user(ctx, c.User)
		if err != nil {
			return err
		}
		var after record
		err = a.change(ctx, path("/users", u), func(r record) {
			maps.Copy(r, calls)
			put(r, "login", c.Login)
			given(r, "name", c.Name)
			given(r, "callerId", c.CallerID)
			given(r, "language", c.Language)
			given(r, "disabled", c.Disabled)
			if c.Number != nil {
				r["numbers"] = c.Number
			}
			if c.Administrator != nil {
				r["roles"] = []string{}
				if *c.Administrator {
					r["roles"] = []string{"administrator"}
				}
			}
		}, &after)
		if err != nil {
			return err
		}
		return w.done(after, "Changed %s.", oneLine(str(after, "login")))
	})
}

// given sets a field that was given, even if its value is empty.
func given[T any](r record, field string, value *T) {
	if value != nil {
		r[field] = *value
	}
}

type userRemoveCmd struct {
	User string `arg:"" help:"Login or identifier."`
}

// Run removes a user.
func (c *userRemoveCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		u, err := a.user(ctx, c.User)
		if err != nil {
			return err
		}
		if err := a.remove(ctx, path("/users", u)); err != nil {
			return err
		}
		return w.done(u, "Removed %s and her numbers.", oneLine(str(u, "login")))
	})
}

type userPasswordCmd struct {
	User         string `arg:"" help:"Login or identifier."`
	PasswordFile string `help:"The first line of this file. Default: asked on a terminal, else standard input." placeholder:"FILE"`
}

// Run sets a password.
func (c *userPasswordCmd) Run(ctx context.Context, w *world) error {
	return w.setUserSecret(ctx, c.User, "password", "password", c.PasswordFile)
}

type userPINCmd struct {
	User    string `arg:"" help:"Login or identifier."`
	PINFile string `name:"pin-file" help:"The first line of this file. Default: asked on a terminal, else standard input." placeholder:"FILE"`
	Remove  bool   `help:"She has no PIN from now on."`
}

// Run sets or removes a PIN.
func (c *userPINCmd) Run(ctx context.Context, w *world) error {
	if c.Remove {
		return w.with(ctx, func(a *api) error { return w.sendUserSecret(ctx, a, c.User, "pin", "PIN", "") })
	}
	return w.setUserSecret(ctx, c.User, "pin", "PIN", c.PINFile)
}

func (w *world) setUserSecret(ctx context.Context, user, kind, name, file string) error {
	return w.with(ctx, func(a *api) error {
		text, err := w.secret(name, file)
		if err != nil {
			return err
		}
		return w.sendUserSecret(ctx, a, user, kind, name, text)
	})
}

func (w *world) sendUserSecret(ctx context.Context, a *api, user, kind, name, text string) error {
	u, err := a.user(ctx, user)
	if err != nil {
		return err
	}
	if err := a.send(ctx, http.MethodPut, path("/users", u)+"/"+kind, record{kind: text}, nil); err != nil {
		return err
	}
	if text == "" {
		return w.done(u, "%s has no %s from now on.", oneLine(str(u, "login")), name)
	}
	return w.done(u, "The %s of %s is set.", name, oneLine(str(u, "login")))
}

type userPutCmd struct {
	User string `arg:"" help:"Login or identifier."`
	At   string `required:"" help:"The client: its name or identifier." placeholder:"CLIENT"`
}

// Run puts a user at a client.
func (c *userPutCmd) Run(ctx context.Context, w *world) error { return w.putAt(ctx, c.User, c.At) }

func (w *world) putAt(ctx context.Context, user, client string) error {
	return w.with(ctx, func(a *api) error {
		at, err := a.client(ctx, client)
		if err != nil {
			return err
		}
		var b record
		if err := a.send(ctx, http.MethodPut, path("/clients", at)+"/binding", record{"user": user}, &b); err != nil {
			return err
		}
		return w.done(b, "%s is at %s.", oneLine(user), oneLine(str(at, "name")))
	})
}

type userReleaseCmd struct {
	User string `arg:"" help:"Login or identifier."`
}

// Run ends every binding of a user.
func (c *userReleaseCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		u, err := a.user(ctx, c.User)
		if err != nil {
			return err
		}
		here, err := a.bindingsOf(ctx, u)
		if err != nil {
			return err
		}
		if len(here) == 0 {
			return &failure{why: str(u, "login") + " is nowhere"}
		}
		for _, b := range here {
			if err := a.send(ctx, http.MethodDelete, "/clients/"+url.PathEscape(str(b, "client"))+"/binding", nil, nil); err != nil {
				return err
			}
		}
		return w.done(here, "%s is signed out.", oneLine(str(u, "login")))
	})
}
