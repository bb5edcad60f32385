package web

import (
	"net/http"
	"regexp"
	"strings"
)

// secured adds the headers that OWASP ASVS 4.0.3 section 14.4 asks for to
// every answer. The pages' own policy, with its nonce, is written in pages.go.
func (d *Door) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Permissions-Policy", "microphone=(self), speaker-selection=(self), autoplay=(self), hid=(self), camera=(), geolocation=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if scheme, _ := d.origin(r); scheme == "https" {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// guardAPI refuses what another site's page sends, and what is too long.
// There are no cookies that such a request could use; this is the second lock.
func (d *Door) guardAPI(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	for _, o := range d.Origins {
		if err := cross.AddTrustedOrigin(o); err != nil {
			d.Log.Warn("an origin in the configuration can't be read", "origin", o, "err", err)
		}
	}
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, refuse(http.StatusForbidden, "", "Another site's page may not do that"))
	}))
	return limited(cross.Handler(next))
}

// limited bounds every body, also of what no operation answers to, and keeps
// answers out of caches.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.ContentLength > maxImport {
			writeProblem(w, refuse(http.StatusRequestEntityTooLarge, "", "That is too long"))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxImport+1)
		next.ServeHTTP(w, r)
	})
}

// problems makes problem documents of what the mux itself answers: 404, 405.
func (d *Door) problems(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		heard := &answer{header: http.Header{}}
		h.ServeHTTP(heard, r)
		if heard.status == http.StatusMethodNotAllowed {
			p := refuse(heard.status, "", "That can't be done here")
			p.header.Set("Allow", heard.header.Get("Allow"))
			writeProblem(w, p)
			return
		}
		writeProblem(w, refuse(http.StatusNotFound, "", "There is nothing at this address"))
	})
}

// An answer keeps what a handler says and sends nothing.
type answer struct {
	header http.Header
	status int
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return len(b), nil }

var plainHost = regexp.MustCompile(`^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?$`)

// pagePolicy is the policy of the pages: everything from here, nothing inline
// but the style elements that carry the nonce. The socket for SIP is named,
// because not every browser takes 'self' to mean it.
func (d *Door) pagePolicy(r *http.Request, nonce string) string {
	connect := "'self'"
	if scheme, host := d.origin(r); plainHost.MatchString(host) {
		socket := "ws"
		if scheme == "https" {
			socket = "wss"
		}
		connect += " " + socket + "://" + host
	}
	return strings.Join([]string{
		"default-src 'self'",
		"script-src 'self'",
		"style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data:",
		"media-src 'self' blob:",
		"connect-src " + connect,
		"object-src 'none'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	}, "; ")
}
