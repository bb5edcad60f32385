package main

import (
	"context"
	"crypto/rand"
	"net/http"
)

type clientCmds struct {
	List    clientListCmd    `cmd:"" help:"List machines, with who is there."`
	Show    clientShowCmd    `cmd:"" help:"Show a machine."`
	Add     clientAddCmd     `cmd:"" help:"Add a SIP phone. (Browsers add themselves.)"`
	Admit   clientAdmitCmd   `cmd:"" help:"Let people use a browser that is waiting."`
	Name    clientNameCmd    `cmd:"" help:"Give a machine another name or place."`
	Digest  clientDigestCmd  `cmd:"" help:"Give a SIP phone another password."`
	Code    clientCodeCmd    `cmd:"" help:"Make a one-time code by which a browser admits itself."`
	Revoke  clientRevokeCmd  `cmd:"" help:"Let a machine do nothing any more."`
	Put     clientPutCmd     `cmd:"" help:"Put a person at a machine."`
	Release clientReleaseCmd `cmd:"" help:"Sign out whoever is at a machine."`
}

type clientListCmd struct {
	Match string `arg:"" optional:"" help:"Only those whose name or login holds this."`
}

// Run lists clients with who is there.
func (c *clientListCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		clients, err := a.all(ctx, "/clients", matching(c.Match))
		if err != nil {
			return err
		}
		return w.table(clients, "No machine yet. Open the pages in a browser, or add a phone: roamline client add NAME --login LOGIN",
			field("NAME", "name"), field("KIND", "kind"), field("STATE", "state"), field("PLACE", "placeName"), field("LOGIN", "login"),
			field("REACHED", "reached"), column{"WHO IS THERE", whoIsThere}, field("ID", "id"))
	})
}

func whoIsThere(client record) string {
	b, ok := client["binding"].(record)
	if !ok {
		return "-"
	}
	return str(b, "userName") + " since " + show(b["since"])
}

type clientShowCmd struct {
	Client string `arg:"" help:"Name, login or identifier."`
}

// Run shows a client.
func (c *clientShowCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		return w.sheet(r, field("Name", "name"), field("Kind", "kind"), field("State", "state"), field("Place", "placeName"),
			column{"Who is there", whoIsThere}, field("Can be called", "reached"), field("Login", "login"), field("Key", "thumbprint"),
			field("Created", "created"), field("ID", "id"))
	})
}

type clientAddCmd struct {
	Name         string `arg:"" help:"Such as 'Ward 3, desk 2'."`
	Login        string `required:"" help:"The user name that is set in the phone."`
	Place        string `help:"Where it stands: name or identifier."`
	PasswordFile string `help:"The phone's password is the first line of this file; - is standard input. Default: one is made and printed once." placeholder:"FILE"`
}

// Run adds a phone with its digest password.
func (c *clientAddCmd) Run(ctx context.Context, w *world) error {
	password, made, err := w.phonePassword(c.PasswordFile)
	if err != nil {
		return err
	}
	return w.with(ctx, func(a *api) error {
		phone := record{"name": c.Name, "kind": "phone", "login": c.Login, "password": password}
		if err := a.placeInto(ctx, phone, c.Place); err != nil {
			return err
		}
		var r record
		if err := a.send(ctx, http.MethodPost, "/clients", phone, &r); err != nil {
			return err
		}
		return w.phoneDone(r, password, made, "Added "+oneLine(c.Name)+" ("+str(r, "id")+").")
	})
}

// phonePassword reads a phone's password, or makes one: 26 letters and digits,
// 128 bits.
func (w *world) phonePassword(file string) (password string, made bool, err error) {
	if file == "" {
		return rand.Text(), true, nil
	}
	password, err = w.secret("password", file)
	return password, false, err
}

// phoneDone prints the password only if it was made here: nobody else knows it.
func (w *world) phoneDone(r record, password string, made bool, say string) error {
	if !made {
		return w.done(r, "%s", say)
	}
	r["password"] = password
	return w.done(r, "%s\nIts user name is %s, its password, which is shown only now: %s", say, oneLine(str(r, "login")), password)
}

// placeInto puts the place called name into a record that will be sent.
func (a *api) placeInto(ctx context.Context, r record, name string) error {
	if name == "" {
		return nil
	}
	p, err := a.place(ctx, name)
	if err != nil {
		return err
	}
	r["placeId"] = str(p, "id")
	return nil
}

type clientAdmitCmd struct {
	Client string `arg:"" help:"Name or identifier."`
	Name   string `help:"A name for it."`
	Place  string `help:"Where it stands: name or identifier."`
}

// Run admits a waiting client.
func (c *clientAdmitCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		how := record{}
		put(how, "name", c.Name)
		if err := a.placeInto(ctx, how, c.Place); err != nil {
			return err
		}
		if err := a.send(ctx, http.MethodPost, path("/clients", r)+"/admit", how, &r); err != nil {
			return err
		}
		return w.done(r, "%s is admitted.", oneLine(str(r, "name")))
	})
}

type clientNameCmd struct {
	Client string `arg:"" help:"Name, login or identifier."`
	To     string `arg:"" optional:"" help:"Its new name."`
	Place  string `help:"Where it stands: name or identifier."`
}

// Run gives a client another name or place.
func (c *clientNameCmd) Run(ctx context.Context, w *world) error {
	if c.To == "" && c.Place == "" {
		return &failure{why: "neither a name nor a place was given", todo: "Such as: roamline client name " + c.Client + " 'Ward 3, desk 2'"}
	}
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		new := record{}
		put(new, "name", c.To)
		if err := a.placeInto(ctx, new, c.Place); err != nil {
			return err
		}
		err = a.change(ctx, path("/clients", r), func(r record) {
			for field, value := range new {
				r[field] = value
			}
		}, &r)
		if err != nil {
			return err
		}
		return w.done(r, "It is %s.", oneLine(str(r, "name")))
	})
}

type clientDigestCmd struct {
	Client       string `arg:"" help:"Name, login or identifier."`
	PasswordFile string `help:"The first line of this file; - is standard input. Default: one is made and printed once." placeholder:"FILE"`
}

// Run sets a phone's digest password.
func (c *clientDigestCmd) Run(ctx context.Context, w *world) error {
	password, made, err := w.phonePassword(c.PasswordFile)
	if err != nil {
		return err
	}
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		if err := a.send(ctx, http.MethodPut, path("/clients", r)+"/digest", record{"password": password}, nil); err != nil {
			return err
		}
		return w.phoneDone(r, password, made, "Set it in the phone too.")
	})
}

type clientCodeCmd struct {
	Client string `arg:"" optional:"" help:"The client that a wiped browser becomes again: name or identifier. Default: a new one."`
	Name   string `help:"The new client's name."`
	Place  string `help:"Where it stands: name or identifier."`
}

// Run makes an enrolment code.
func (c *clientCodeCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		what := record{}
		put(what, "name", c.Name)
		if err := a.placeInto(ctx, what, c.Place); err != nil {
			return err
		}
		if c.Client != "" {
			r, err := a.client(ctx, c.Client)
			if err != nil {
				return err
			}
			what["clientId"] = str(r, "id")
		}
		var code record
		if err := a.send(ctx, http.MethodPost, "/enrolment-codes", what, &code); err != nil {
			return err
		}
		return w.done(code, "%s\nType it at the browser before %s; it works once.", str(code, "code"), show(code["expires"]))
	})
}

type clientRevokeCmd struct {
	Client string `arg:"" help:"Name, login or identifier."`
}

// Run revokes a client.
func (c *clientRevokeCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		if err := a.send(ctx, http.MethodPost, path("/clients", r)+"/revoke", nil, &r); err != nil {
			return err
		}
		return w.done(r, "%s is revoked.", oneLine(str(r, "name")))
	})
}

type clientPutCmd struct {
	Client string `arg:"" help:"Name, login or identifier."`
	User   string `arg:"" help:"Login or identifier."`
}

// Run puts a user at a client.
func (c *clientPutCmd) Run(ctx context.Context, w *world) error {
	return w.putAt(ctx, c.User, c.Client)
}

type clientReleaseCmd struct {
	Client string `arg:"" help:"Name, login or identifier."`
}

// Run ends the binding at a client.
func (c *clientReleaseCmd) Run(ctx context.Context, w *world) error {
	return w.with(ctx, func(a *api) error {
		r, err := a.client(ctx, c.Client)
		if err != nil {
			return err
		}
		if err := a.send(ctx, http.MethodDelete, path("/clients", r)+"/binding", nil, nil); err != nil {
			return err
		}
		return w.done(r, "Nobody is at %s now.", oneLine(str(r, "name")))
	})
}
