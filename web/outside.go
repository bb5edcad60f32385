package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roamline/roamline"
)

// maxEvents is how many events are remembered in one period of two windows, of
// all systems together.
const maxEvents = 100_000

// Event times are held to the window of proofs, for replays forgets by it.
const eventWindow = proofWindow

type identificationInput struct {
	Body struct {
		Client string    `json:"client" minLength:"1" maxLength:"128" doc:"An id or a name."`
		User   string    `json:"user" minLength:"1" maxLength:"256" doc:"An id or a login."`
		At     time.Time `json:"at" doc:"When it happened; at most a minute from the server's time."`
		Nonce  string    `json:"nonce" minLength:"8" maxLength:"128" doc:"Any text that this system has not sent before, such as a UUID."`
	}
}

type releaseInput struct {
	Body struct {
		Client string    `json:"client" minLength:"1" maxLength:"128" doc:"An id or a name."`
		User   string    `json:"user,omitempty" maxLength:"256" doc:"An id or a login: only if it is she who is there. Absent: whoever is there."`
		At     time.Time `json:"at" doc:"When it happened; at most a minute from the server's time."`
		Nonce  string    `json:"nonce" minLength:"8" maxLength:"128" doc:"Any text that this system has not sent before, such as a UUID."`
	}
}

func (d *Door) registerOutside() {
	tags := []string{"systems"}
	handle(d, forSystem, huma.Operation{OperationID: "create-outside-identification", Method: http.MethodPost, Path: "/outside/identifications", Tags: tags,
		Summary: "A system says that a user is at a client now"}, d.identifyOutside)
	handle(d, forSystem, huma.Operation{OperationID: "create-outside-release", Method: http.MethodPost, Path: "/outside/releases", Tags: tags,
		Summary: "A system says that a user has left a client", DefaultStatus: http.StatusNoContent}, d.releaseOutside)
}

func (d *Door) identifyOutside(ctx context.Context, c caller, in *identificationInput) (*body[bindingJSON], error) {
	client, err := d.spokenFor(ctx, c.system, in.Body.Client)
	if err != nil {
		return nil, err
	}
	if client.State != roamline.Admitted {
		return nil, refuse(http.StatusConflict, typeWaiting, "This client is not admitted. An administrator must admit it first")
	}
	u, err := d.findUser(ctx, in.Body.User)
	if err != nil {
		return nil, err
	}
	if u.Disabled {
		return nil, refuse(http.StatusForbidden, "", "This person's account is switched off. An administrator can switch it on again")
	}
	if err := d.once(c.system, in.Body.At, in.Body.Nonce); err != nil {
		return nil, err
	}
	b, err := d.Exchange.Vouch(ctx, u.ID, client.ID, c.system.Name)
	if err != nil {
		return nil, err
	}
	return &body[bindingJSON]{d.names(ctx).binding(b)}, nil
}

func (d *Door) releaseOutside(ctx context.Context, c caller, in *releaseInput) (*struct{}, error) {
	client, err := d.spokenFor(ctx, c.system, in.Body.Client)
	if err != nil {
		return nil, err
	}
	var user roamline.UserID
	if in.Body.User != "" {
		u, err := d.findUser(ctx, in.Body.User)
		if err != nil {
			return nil, err
		}
		user = u.ID
	}
	if err := d.once(c.system, in.Body.At, in.Body.Nonce); err != nil {
		return nil, err
	}
	err = d.Exchange.Withdraw(ctx, user, client.ID, c.system.Name)
	switch kind := roamline.KindOf(err); {
	case err != nil && kind == roamline.NotFound:
		err = refuse(http.StatusConflict, typeNobody, "Nobody is signed in there. There is nothing to do")
	case err != nil && kind == roamline.Conflict:
		err = refuse(http.StatusConflict, typeNobody, "Somebody else is signed in there, and stays so. There is nothing to do")
	}
	return nil, err
}

// spokenFor finds a client by identifier or name, if the system may speak for
// it. Of the others it does not say whether they are there.
func (d *Door) spokenFor(ctx context.Context, y roamline.System, text string) (roamline.Client, error) {
	c, err := d.Store.Clients().Get(ctx, text)
	if err != nil && roamline.KindOf(err) == roamline.NotFound {
		var found []roamline.Client
		found, _, err = d.Store.Clients().List(ctx, roamline.Query{Limit: 1, Where: map[string]string{"name": text}})
		if len(found) == 1 {
			c = found[0]
		}
	}
	if err != nil {
		return c, err
	}
	ok := c.ID != "" && slices.Contains(y.Clients, c.ID)
	for around, depth := c.Place, 0; !ok && around != "" && depth < maxDepth; depth++ {
		if ok = slices.Contains(y.Places, around); ok {
			break
		}
		p, err := d.Store.Places().Get(ctx, string(around))
		if err != nil {
			return c, err
		}
		around = p.Within
	}
	if !ok {
		return c, refuse(http.StatusForbidden, "", "There is no such client that this system may speak for. An administrator can add it, or its place, to the system").at("body.client", "is not among them")
	}
	return c, nil
}

// once takes an event, unless it is too old, of the future, or was taken before.
// What was taken before the server started is not known: it takes nothing that
// happened before then.
func (d *Door) once(y roamline.System, at time.Time, nonce string) error {
	now := d.Now()
	if at.Before(now.Add(-eventWindow)) || at.After(now.Add(eventWindow)) {
		return refuse(http.StatusUnprocessableEntity, typeClock, "The event's time and the server's differ by more than a minute. Send events as they happen, and set the clock by the Date header").at("body.at", "is too far off")
	}
	if at.Before(d.began) {
		return refuse(http.StatusConflict, typeSeen, "The server has started since then and can't tell whether it took this event. Send it again with a new time and nonce")
	}
	fresh, room := d.nonces.use(string(y.ID), nonce, now)
	if !room {
		return refuse(http.StatusTooManyRequests, typeTooOften, "Too many events at once. Wait as long as Retry-After says").after(time.Second)
	}
	if !fresh {
		return refuse(http.StatusConflict, typeSeen, "This event was taken before. A new one needs a new nonce").at("body.nonce", "was sent before")
	}
	return nil
}
