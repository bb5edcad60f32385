package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/roamline/roamline"
)

const (
	heartbeat  = 15 * time.Second // between comments that keep the connection
	writeLimit = 10 * time.Second // a reader slower than this is cut and comes again
)

type releasedJSON struct {
	Binding bindingJSON  `json:"binding" doc:"The one that ended."`
	Reason  string       `json:"reason"`
	By      *bindingJSON `json:"by,omitempty" doc:"The one that replaced it."`
}

type reachJSON struct {
	Client     string `json:"client"`
	ClientName string `json:"clientName"`
	Reached    bool   `json:"reached"`
}

type readyJSON struct{}

func (d *Door) registerEvents() {
	registry := d.api.OpenAPI().Components.Schemas
	data := &huma.Schema{}
	for name, v := range map[string]any{
		"BoundEvent": bindingJSON{}, "ReleasedEvent": releasedJSON{}, "ReachEvent": reachJSON{}, "CallEvent": callJSON{},
		"TrunkEvent": trunkStatusJSON{}, "ClientEvent": thisClientJSON{}, "ReadyEvent": readyJSON{},
	} {
		registry.Map()[name] = &huma.Schema{OneOf: []*huma.Schema{registry.Schema(reflect.TypeOf(v), true, name)}}
	}
	for _, name := range []string{"BoundEvent", "ReleasedEvent", "ReachEvent", "CallEvent", "TrunkEvent", "ClientEvent", "ReadyEvent"} {
		data.OneOf = append(data.OneOf, &huma.Schema{Ref: "#/components/schemas/" + name})
	}
	handle(d, forClient, huma.Operation{
		OperationID: "events", Method: http.MethodGet, Path: "/client/events", Tags: []string{"client"},
		Summary: "What changes, as it happens (text/event-stream)",
		Description: "Events bound, released, reach, call, trunk, client, each with data of the type of that name; first the present state, then ready. " +
			"A client sees what concerns it and whoever is signed in here; an administrator sees all. When somebody signs in or out here " +
			"the state is told again, up to another ready: forget calls at bound and released. Calls that talk come once a second, with voice figures. " +
			"A comment comes every 15 s. A reader that is too slow is cut; come again.",
		Responses: map[string]*huma.Response{"200": {
			Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: data}},
		}},
	}, d.events)
}

func (d *Door) events(_ context.Context, c caller, _ *struct{}) (*huma.StreamResponse, error) {
	ctx, end := context.WithCancel(context.Background())
	one := d.live.open(c.client.ID, end)
	if one == nil {
		end()
		return nil, refuse(http.StatusTooManyRequests, typeTooOften, "Too many pages are open at this client").after(heartbeat)
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer d.live.close(c.client.ID, one)
		defer end()
		stop := context.AfterFunc(hc.Context(), end)
		defer stop()
		r, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		v := &viewer{door: d, client: c.client, out: w, ctl: http.NewResponseController(w), nudge: one.nudge}
		if err := v.watch(ctx); r.Context().Err() == nil {
			d.Log.Debug("events ended", "client", c.client.ID, "err", err)
		}
	}}, nil
}

// A viewer is one page that watches.
type viewer struct {
	door   *Door
	client roamline.Client
	user   *roamline.User // who is at the client, as far as this state goes
	out    http.ResponseWriter
	ctl    *http.ResponseController
	nudge  <-chan struct{}
}

// errCut ends a stream whose client may no longer listen, or whose source
// found it too slow.
var errCut = errors.New("cut")

// watch tells the state, and again each time it is seen with other eyes, until
// it returns why it ended.
func (v *viewer) watch(ctx context.Context) error {
	for {
		if err := v.look(ctx); err != nil {
			return err
		}
		if err := v.follow(ctx); err != nil {
			return err
		}
	}
}

// look finds out with whose eyes the client sees now.
func (v *viewer) look(ctx context.Context) error {
	now, err := v.door.clientOf(ctx, token{client: v.client.ID, key: v.client.Thumbprint})
	if err != nil {
		return err
	}
	c := caller{client: now}
	if err := v.door.meet(ctx, &c); err != nil {
		return err
	}
	v.client, v.user = now, c.user
	return v.send("client", v.door.names(ctx).thisClient(now))
}

// changed reports whether the client or who is there is another than when it
// was last looked at; an error if it may not listen any more.
func (v *viewer) changed(ctx context.Context) (bool, error) {
	now, err := v.door.clientOf(ctx, token{client: v.client.ID, key: v.client.Thumbprint})
	if err != nil {
		return false, err
	}
	c := caller{client: now}
	if err := v.door.meet(ctx, &c); err != nil {
		return false, err
	}
	same := now.Rev == v.client.Rev && (c.user == nil) == (v.user == nil)
	if same && c.user != nil {
		same = c.user.ID == v.user.ID && c.user.Rev == v.user.Rev
	}
	return !same, nil
}

// follow passes news on until the client sees with other eyes (nil) or the
// stream is over.
func (v *viewer) follow(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	news := v.door.Exchange.Watch(ctx)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var again bool
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n, open := <-news:
			if !open {
				return errCut
			}
			again, err = v.news(ctx, n)
		case <-beat.C:
			if err = v.write([]byte(": still here\n\n")); err == nil {
				again, err = v.changed(ctx)
			}
		case <-v.nudge:
			again, err = v.changed(ctx)
		}
		if err != nil || again {
			return err
		}
	}
}

// news tells one piece of news, if it is for this page. again: somebody else
// is at the client now.
func (v *viewer) news(ctx context.Context, n roamline.News) (again bool, err error) {
	names := v.door.names(ctx)
	here := n.Client == v.client.ID
	all := caller{user: v.user}.administers()
	switch n.Kind {
	case roamline.NewsReady:
		if err := v.send("ready", readyJSON{}); err != nil {
			return false, err
		}
		return v.changed(ctx)
	case roamline.NewsBound:
		if n.Binding == nil || !here && !all && !v.is(n.Binding.User) {
			return false, nil
		}
		return here && !v.is(n.Binding.User), v.send("bound", names.binding(*n.Binding))
	case roamline.NewsReleased:
		if n.Binding == nil || !here && !all && !v.is(n.Binding.User) {
			return false, nil
		}
		j := releasedJSON{Binding: names.binding(*n.Binding), Reason: string(n.Reason)}
		if n.By != nil {
			by := names.binding(*n.By)
			j.By = &by
		}
		return here && v.is(n.Binding.User), v.send("released", j)
	case roamline.NewsReach:
		if !here && !all {
			return false, nil
		}
		return false, v.send("reach", reachJSON{Client: string(n.Client), ClientName: names.client(n.Client), Reached: n.Reached})
	case roamline.NewsCall:
		if n.Call == nil || !all && !v.own(n.Call.Call) {
			return false, nil
		}
		return false, v.call(names, *n.Call, all)
	case roamline.NewsTrunk:
		if n.Trunk == nil || !all {
			return false, nil
		}
		return false, v.send("trunk", names.trunkStatus(*n.Trunk))
	}
	return false, nil
}

func (v *viewer) is(u roamline.UserID) bool { return v.user != nil && v.user.ID == u }

// own reports whether a call is of whoever is at the client. With nobody
// there, what rings or talks at the client and belongs to nobody is shown: an
// emergency call. What one person leaves behind is never shown to the next.
func (v *viewer) own(c roamline.Call) bool {
	if v.user != nil && (c.User == v.user.ID || c.CallerBy == v.user.ID) {
		return true
	}
	for _, l := range c.Legs {
		if v.is(l.User) && l.User != "" || l.At.Client == v.client.ID && l.User == "" && c.CallerBy == "" {
			return true
		}
	}
	return false
}

func (v *viewer) call(names *names, view roamline.CallView, all bool) error {
	j := names.call(view)
	if !all {
		v.hide(&j)
	}
	return v.send("call", j)
}

// hide takes out where the others are.
func (v *viewer) hide(j *callJSON) {
	for i := range j.Legs {
		l := &j.Legs[i]
		if l.Client == string(v.client.ID) || v.is(roamline.UserID(l.User)) {
			continue
		}
		l.Client, l.ClientName, l.Trunk, l.TrunkName = "", "", "", ""
	}
}

// send writes one event (HTML Standard section 9.2.6).
func (v *viewer) send(event string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("event: " + event + "\ndata: ")
	b.Write(text)
	b.WriteString("\n\n")
	return v.write(b.Bytes())
}

func (v *viewer) write(text []byte) error {
	// A writer without deadlines is a test's.
	if err := v.ctl.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := v.out.Write(text); err != nil {
		return err
	}
	return v.ctl.Flush()
}
