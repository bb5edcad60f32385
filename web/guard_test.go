package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/roamline/roamline"
)

func TestAnotherSitesPageMayChangeNothing(t *testing.T) {
	h := open(t, func(o *Options) { o.Origins = []string{"https://friend.example"} })
	b := h.admitted()
	for _, row := range []struct {
		rule   string
		header []string
		method string
		status int
	}{
		{"our page", []string{"Origin", origin, "Sec-Fetch-Site", "same-origin"}, "DELETE", 204},
		{"our page in an old browser", []string{"Origin", origin}, "DELETE", 204},
		{"no browser", nil, "DELETE", 204},
		{"another site", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, "DELETE", 403},
		{"another site in an old browser", []string{"Origin", "https://evil.example"}, "DELETE", 403},
		{"a sister site", []string{"Origin", "https://www.phone.example", "Sec-Fetch-Site", "same-site"}, "DELETE", 403},
		{"a sandboxed frame", []string{"Origin", "null"}, "DELETE", 403},
		{"a site that was named", []string{"Origin", "https://friend.example", "Sec-Fetch-Site", "cross-site"}, "DELETE", 204},
		{"another site that reads", []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, "GET", 200},
	} {
		t.Run(row.rule, func(t *testing.T) {
			path := "/client/binding"
			if row.method == "GET" {
				path = "/client"
			}
			a := b.do(row.method, path, "", row.header...).want(row.status)
			if a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Error("shares with other sites")
			}
		})
	}
}

func TestEveryRefusalIsAProblem(t *testing.T) {
	h := open(t)
	b := h.admitted()
	long := `{"method":"pin","login":"ana","secret":"` + strings.Repeat("x", maxBody) + `"}`
	for _, row := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/nothing", "", 404},
		{"GET", "/users/", "", 404},
		{"PUT", "/client", "", 405},
		{"GET", "/token", "", 405},
		{"POST", "/client/identifications", long, 413},
		{"POST", "/client/identifications", "{", 400},
		{"POST", "/client/identifications", "", 400},
		{"POST", "/client/identifications", "{}", 422},
		{"POST", "/import", strings.Repeat("x", maxImport+2), 413},
	} {
		a := b.do(row.method, row.path, row.body).want(row.status)
		var p struct {
			Title  string
			Status int
		}
		if a.into(&p); p.Title == "" || p.Status != row.status {
			t.Errorf("%s %s: %+v", row.method, row.path, p)
		}
		if row.status == 405 && a.header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", row.method, row.path)
		}
	}
}

func TestKindsBecomeCodes(t *testing.T) {
	h := open(t)
	for kind, status := range map[roamline.Kind]int{
		roamline.Internal: 500, roamline.Invalid: 422, roamline.Unauthorized: 401, roamline.Forbidden: 403, roamline.NotFound: 404,
		roamline.Conflict: 409, roamline.Exhausted: 429, roamline.Unavailable: 503, roamline.Incompatibility: 422,
	} {
		err := fmt.Errorf("around: %w", &roamline.Error{Op: "x", Kind: kind, Of: "it", Err: errors.New("SELECT secret")})
		p := h.problem(t.Context(), err)
		if p.Status != status || p.Title == "" {
			t.Errorf("%v: %d %q", kind, p.Status, p.Title)
		}
		if kind == roamline.Internal && strings.Contains(fmt.Sprint(p.ErrorModel), "SELECT") {
			t.Error("what broke inside is told outside")
		}
	}
	if p := h.problem(t.Context(), &roamline.Error{Op: "x", Kind: roamline.Exhausted}); p.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := open(t, func(o *Options) { o.Pages = built })
	for _, path := range []string{"/", "/healthz", "/api/openapi.json", "/api/nothing", "/assets/index-B3x_a9Qz.js"} {
		header := h.get(path).header
		for name, part := range map[string]string{
			"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Permissions-Policy": "microphone=(self)", "Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": "max-age",
		} {
			if !strings.Contains(header.Get(name), part) {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
		if policy := header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: %s", path, policy)
		}
	}
	plain := httptest.NewRecorder()
	h.handler.ServeHTTP(plain, httptest.NewRequest("GET", "http://localhost:8080/", nil))
	if plain.Header().Get("Strict-Transport-Security") != "" {
		t.Error("HSTS without TLS (RFC 6797 section 7.2)")
	}
	if policy := plain.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "ws://localhost:8080;") {
		t.Error(policy)
	}
}

var built = fstest.MapFS{
	"index.html":               {Data: []byte(`<meta name="style-nonce" content="__CSP_NONCE__">`)},
	"assets/index-B3x_a9Qz.js": {Data: bytes.Repeat([]byte("let a = 1;\n"), 500)},
	"icon.svg":                 {Data: []byte("<svg/>")},
}

func (h *house) get(path string, header ...string) answered {
	h.t.Helper()
	r := httptest.NewRequest("GET", origin+path, nil)
	set(r, header)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return answered{h.t, w.Code, w.Header(), w.Body.String()}
}

func TestBuiltPages(t *testing.T) {
	h := open(t, func(o *Options) { o.Pages = built })
	first, second := h.get("/").want(200), h.get("/calls/k_1").want(200)
	if first.text == second.text || strings.Contains(first.text, nonceMark) {
		t.Errorf("nonces: %s %s", first.text, second.text)
	}
	nonce, _, _ := strings.Cut(strings.TrimPrefix(first.text, `<meta name="style-nonce" content="`), `"`)
	if policy := first.header.Get("Content-Security-Policy"); !strings.Contains(policy, "style-src 'self' 'nonce-"+nonce+"'") ||
		!strings.Contains(policy, "connect-src 'self' wss://phone.example;") {
		t.Error(policy)
	}
	if first.header.Get("Cache-Control") != "no-store" {
		t.Error("the page with its nonce is kept")
	}
	asset := h.get("/assets/index-B3x_a9Qz.js", "Accept-Encoding", "br, gzip;q=0.8").want(200)
	if !strings.Contains(asset.header.Get("Cache-Control"), "immutable") || asset.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", asset.header)
	}
	z, err := gzip.NewReader(strings.NewReader(asset.text))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || len(text) != 5500 {
		t.Errorf("%d bytes: %v", len(text), err)
	}
	if a := h.get("/assets/index-B3x_a9Qz.js", "Accept-Encoding", "gzip; q=0"); a.header.Get("Content-Encoding") != "" {
		t.Error("zipped for somebody who does not want it")
	}
	if a := h.get("/icon.svg").want(200); a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("%v", a.header)
	}
	h.get("/assets/gone-B3x_a9Qz.js").want(404)
	h.get("/secret.txt").want(404)
	h.get("/metrics.txt").want(404)
}

func TestMissingPagesSayHowToBuildThem(t *testing.T) {
	h := open(t)
	if a := h.get("/").want(503); !strings.Contains(a.text, "make build") {
		t.Error(a.text)
	}
}

func TestProbes(t *testing.T) {
	var broken error
	h := open(t, func(o *Options) {
		o.Ready = func(context.Context) error { return broken }
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("calls 1")) })
	})
	h.get("/healthz").want(200)
	h.get("/readyz").want(200)
	if h.get("/metrics").want(200).text != "calls 1" {
		t.Error("no metrics")
	}
	broken = errors.New("the database of 10.0.0.7 is gone")
	if a := h.get("/readyz").want(503); strings.Contains(a.text, "10.0.0.7") {
		t.Error(a.text)
	}
	h.get("/healthz").want(200)
}

func TestLocalSocketIsNoClient(t *testing.T) {
	h := open(t)
	h.local("GET", "/client", "").want(403)
	h.local("POST", "/token", "{}").want(403)
	h.local("GET", "/nothing", "").want(404)
	// What the socket's context says can't be said from outside.
	r := httptest.NewRequest("GET", origin+base+"/users", nil)
	r.Header.Set("Authorization", "local")
	h.serve(h.handler, r).want(401)
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(1, 2), time.Unix(1000, 0)
	for i := range 3 * maxCounted {
		l.take(fmt.Sprint(i), now)
	}
	if len(l.of) > maxCounted {
		t.Errorf("%d are counted", len(l.of))
	}
	l = newLimiter(1, 2)
	for _, want := range []bool{true, true, false} {
		if _, ok := l.take("a", now); ok != want {
			t.Errorf("got %v", ok)
		}
	}
	if wait, ok := l.take("a", now); ok || wait != time.Second {
		t.Errorf("wait %v", wait)
	}
	if _, ok := l.take("a", now.Add(time.Second)); !ok {
		t.Error("never again")
	}
}

func TestPolicyTakesNoForeignHost(t *testing.T) {
	h := open(t)
	r := httptest.NewRequest("GET", origin+"/", nil)
	r.Host = "x; script-src *"
	if p := h.pagePolicy(r, "n"); strings.Contains(p, "*") {
		t.Error(p)
	}
}
