package demo

import (
	"context"
	"embed"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/site"
)

//go:embed page/index.html page/page.css page/page.js
var pageFiles embed.FS

// callers are who telephones, in turn.
var callers = []struct{ Number, Name, Voice string }{
	{"+34600111222", "Farmacia Central", "caller-es"},
	{"+442071234567", "Riverside Pharmacy", "caller-en"},
	{"+34600333444", "Dr. Molina", "caller-es"},
	{"+442079876543", "Dr. Hughes", "caller-en"},
}

// A page is the demonstration's own web page and its API.
type page struct {
	http.Handler
	option  Options
	carrier *carrier.Carrier
	life    context.Context
	calls   sync.WaitGroup
	mu      sync.Mutex
	turn    int
}

func newPage(ctx context.Context, o Options, c *carrier.Carrier) *page {
	p := &page{option: o, carrier: c, life: ctx}
	files, err := fs.Sub(pageFiles, "page")
	if err != nil {
		panic(err) // the embedded folder has this name
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/state", p.state)
	mux.HandleFunc("GET /api/calls", p.list)
	mux.HandleFunc("POST /api/call", p.call)
	mux.HandleFunc("DELETE /api/calls/{id}", p.hangup)
	p.Handler = guard(mux)
	return p
}

// guard answers this machine's own browsers only: no name that merely resolves
// here, no page of another origin that posts.
func guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		ip := net.ParseIP(strings.Trim(host, "[]"))
		if host != "localhost" && !strings.HasSuffix(host, ".localhost") && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "the demonstration is for this machine only", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		inner.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

type failure struct {
	Title string `json:"title"`
}

func (p *page) state(w http.ResponseWriter, _ *http.Request) {
	d := desks(p.option.Server)
	reply(w, http.StatusOK, map[string]any{"desks": d, "console": console(p.option.Server), "people": site.People,
		"lines": carrier.Lines, "calls": p.carrier.Calls()})
}

func (p *page) list(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"calls": p.carrier.Calls()})
}

// call lets the carrier call a number: {"to": "+34910000001"}.
func (p *page) call(w http.ResponseWriter, r *http.Request) {
	var in struct{ To string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 4<<10)).Decode(&in); err != nil || !dialable(in.To) {
		reply(w, http.StatusBadRequest, failure{"Say whom to call: {\"to\": \"+34910000001\"}"})
		return
	}
	p.mu.Lock()
	who := callers[p.turn%len(callers)]
	p.turn++
	p.mu.Unlock()
	call, err := p.carrier.Call(p.life, who.Number, in.To, carrier.CallOptions{Name: who.Name})
	if err != nil {
		reply(w, http.StatusServiceUnavailable, failure{err.Error()})
		return
	}
	p.calls.Go(func() { carrier.Greet(p.life, call, who.Voice) })
	reply(w, http.StatusCreated, map[string]string{"id": p.carrier.ID(call)})
}

// dialable is a number of at most 32 digits, perhaps with a plus.
func dialable(number string) bool {
	digits := strings.TrimPrefix(number, "+")
	return digits != "" && len(digits) <= 32 && strings.Trim(digits, "0123456789*#") == ""
}

func (p *page) hangup(w http.ResponseWriter, r *http.Request) {
	call, ok := p.carrier.Find(r.PathValue("id"))
	if !ok {
		reply(w, http.StatusNotFound, failure{"There is no such call"})
		return
	}
	call.Hangup()
	w.WriteHeader(http.StatusNoContent)
}
