package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/server"
)

const (
	apiBase    = "http://local/api/v1"
	maxAnswer  = 64 << 20 // bytes
	offlineFor = 2 * time.Minute
)

// An api speaks the HTTP API as administrator: with the running server, or
// with its data while it stands still.
type api struct {
	http    *http.Client
	running bool
	close   func() error
}

// open finds the server of the configured data folder, or else takes the
// folder's lock and answers the API in this process.
func (w *world) open(ctx context.Context) (*api, error) {
	cfg, err := config.Load(w.options.Config, w.environ)
	if err != nil {
		return nil, err
	}
	return openAPI(ctx, cfg)
}

func openAPI(ctx context.Context, cfg config.Config) (*api, error) {
	conn, err := server.DialLocal(ctx, cfg.DataDir)
	if err == nil {
		conn.Close()
		return &api{running: true, close: func() error { return nil }, http: &http.Client{Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return server.DialLocal(ctx, cfg.DataDir) },
		}}}, nil
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, &failure{why: "the server's socket in " + cfg.DataDir + " is not for you", todo: "Run this as the server's user or as root", err: err}
	}
	if err := foreign(cfg.DataDir); err != nil {
		return nil, err
	}
	release, err := server.Lock(cfg.DataDir)
	if err != nil {
		if roamline.KindOf(err) == roamline.Conflict {
			return nil, &failure{why: err.Error() + ", which does not answer", todo: "It may be starting or stopping: try again in a moment", err: err}
		}
		return nil, err
	}
	handler, closeData, err := server.Offline(ctx, cfg)
	if err != nil {
		release()
		return nil, err
	}
	return &api{http: &http.Client{Transport: inProcess{handler}}, close: func() error {
		defer release()
		return closeData()
	}}, nil
}

// foreign refuses to write, as root, into a folder of the server's own user:
// she could not open afterwards what was made there.
func foreign(dir string) error {
	var info unix.Stat_t
	if os.Geteuid() != 0 || unix.Stat(dir, &info) != nil || info.Uid == 0 {
		return nil
	}
	name := strconv.Itoa(int(info.Uid))
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return &failure{why: "the server is not running, and " + dir + " belongs to " + name, todo: "Run this as that user (sudo -u " + name + " roamline ...), or start the server"}
}

// inProcess carries requests to a handler without a network.
type inProcess struct{ h http.Handler }

// RoundTrip runs the handler to its end; its answer is held in memory.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.RequestURI = r.URL.RequestURI()
	a := &answer{header: make(http.Header)}
	p.h.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	return &http.Response{
		StatusCode: a.status, Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: a.header,
		Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: r,
	}, nil
}

type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) Write(b []byte) (int, error) { a.WriteHeader(http.StatusOK); return a.body.Write(b) }
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// A record is one JSON object of the API. Commands change the fields that
// they know and keep the others.
type record = map[string]any

func str(r record, field string) string {
	s, _ := r[field].(string)
	return s
}

// get reads path into to.
func (a *api) get(ctx context.Context, path string, to any) error {
	_, err := a.do(ctx, http.MethodGet, path, nil, "", to)
	return err
}

// send sends body as JSON and reads the answer into to, if there is one.
func (a *api) send(ctx context.Context, method, path string, body, to any) error {
	_, err := a.do(ctx, method, path, body, "", to)
	return err
}

// change reads the record at path, lets edit change it and writes it back,
// provided that nobody else did meanwhile; then it reads it into to.
func (a *api) change(ctx context.Context, path string, edit func(record), to any) error {
	var was record
	rev, err := a.do(ctx, http.MethodGet, path, nil, "", &was)
	if err != nil {
		return err
	}
	changed := make(record)
	edit(changed)
	_, err = a.do(ctx, http.MethodPatch, path, changed, rev, to)
	return err
}

// remove deletes the record at path as it is now.
func (a *api) remove(ctx context.Context, path string) error {
	rev, err := a.do(ctx, http.MethodGet, path, nil, "", &record{})
	if err != nil {
		return err
	}
	_, err = a.do(ctx, http.MethodDelete, path, nil, rev, nil)
	return err
}

// do sends one request and returns the answer's ETag.
func (a *api) do(ctx context.Context, method, path string, body any, ifMatch string, to any) (etag string, err error) {
	var content io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case csvText:
		content, kind = strings.NewReader(string(body)), "text/csv"
	default:
		b, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		content = bytes.NewReader(b)
	}
	ctx, cancel := context.WithTimeout(ctx, offlineFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, apiBase+path, content)
	if err != nil {
		return "", err
	}
	if content != nil {
		req.Header.Set("Content-Type", kind)
	}
	if ifMatch != "" {
		req.Header.Set("If-Match", ifMatch)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return "", &failure{why: "the server went away", todo: "See its log, and try again", err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	if res.StatusCode >= 300 {
		return "", problem(res, text)
	}
	if to != nil && len(text) > 0 {
		err = json.Unmarshal(text, to)
	}
	return res.Header.Get("ETag"), err
}

// csvText is a body that is not JSON.
type csvText string

// problem makes a failure of a problem document (RFC 9457).
func problem(res *http.Response, text []byte) error {
	var p struct {
		Title, Detail string
		Errors        []struct{ Message, Location string }
	}
	if json.Unmarshal(text, &p) != nil || p.Title == "" {
		p.Title = "the server answered " + res.Status
	}
	why := strings.TrimRight(p.Title, ".")
	if p.Detail != "" && p.Detail != p.Title {
		why += ": " + strings.TrimRight(p.Detail, ".")
	}
	for _, e := range p.Errors {
		why += "\n  " + strings.TrimSpace(strings.TrimPrefix(e.Location, "body.")+": "+e.Message)
	}
	f := &failure{why: why}
	switch res.StatusCode {
	case http.StatusPreconditionFailed:
		f.todo = "Somebody else changed it just now: look at it and try again"
	case http.StatusServiceUnavailable:
		f.todo = "This needs the running server: start it with roamline serve"
	case http.StatusNotFound:
		f.err = errNotFound
	}
	return f
}

var errNotFound = errors.New("not found")

// all reads every page of a list.
func (a *api) all(ctx context.Context, path string, query url.Values) ([]record, error) {
	if query == nil {
		query = url.Values{}
	}
	var found []record
	for {
		var page struct {
			Items []record
			Next  string
		}
		if err := a.get(ctx, withQuery(path, query), &page); err != nil {
			return nil, err
		}
		found = append(found, page.Items...)
		if page.Next == "" {
			return found, nil
		}
		query.Set("after", page.Next)
	}
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

// find returns the record of a list that is called name: by its identifier, or
// by one of its fields.
func (a *api) find(ctx context.Context, list, idPrefix, name string, fields ...string) (record, error) {
	if strings.HasPrefix(name, idPrefix) {
		var r record
		err := a.get(ctx, list+"/"+url.PathEscape(name), &r)
		return r, err
	}
	some, err := a.all(ctx, list, url.Values{"match": {name}})
	if err != nil {
		return nil, err
	}
	var found []record
	for _, r := range some {
		for _, field := range fields {
			if strings.EqualFold(str(r, field), name) {
				found = append(found, r)
				break
			}
		}
	}
	what := strings.TrimSuffix(strings.TrimPrefix(list, "/"), "s")
	switch len(found) {
	case 0:
		return nil, &failure{why: "there is no " + what + " called " + name, todo: "See: roamline " + what + " list", err: errNotFound}
	case 1:
		return found[0], nil
	}
	return nil, &failure{why: fmt.Sprintf("%d %ss are called %s", len(found), what, name), todo: "Give the identifier instead: roamline " + what + " list"}
}

func (a *api) user(ctx context.Context, name string) (record, error) {
	return a.find(ctx, "/users", "u_", name, "login")
}

func (a *api) client(ctx context.Context, name string) (record, error) {
	return a.find(ctx, "/clients", "c_", name, "name", "login")
}

func (a *api) place(ctx context.Context, name string) (record, error) {
	return a.find(ctx, "/places", "p_", name, "name")
}

func (a *api) trunk(ctx context.Context, name string) (record, error) {
	return a.find(ctx, "/trunks", "t_", name, "name")
}

func path(list string, r record) string { return list + "/" + url.PathEscape(str(r, "id")) }
