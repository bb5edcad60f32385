package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const origin = "https://phone.example"

// A house is a door with a real store and a pretended switchboard.
type house struct {
	*Door
	t       *testing.T
	board   *board
	handler http.Handler
	mu      sync.Mutex
	now     time.Time
	changed []string
}

func open(t *testing.T, set ...func(*Options)) *house {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "house.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h := &house{t: t, now: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	h.board = &board{store: st, at: map[roamline.ClientID]roamline.Binding{}}
	note := func(what string) func(roamline.ClientID) {
		return func(id roamline.ClientID) { h.changed = append(h.changed, what+" "+string(id)) }
	}
	hash := func(least int) func(context.Context, roamline.Secret) (roamline.Secret, error) {
		return func(_ context.Context, s roamline.Secret) (roamline.Secret, error) {
			if len(s.Reveal()) < least {
				return s, &roamline.Error{Op: "test", Kind: roamline.Invalid, Err: io.ErrShortWrite}
			}
			return roamline.NewSecret("hash of " + s.Reveal()), nil
		}
	}
	o := Options{
		Store: st, Exchange: h.board, Realm: "phone.example", Version: "test",
		Site: roamline.Site{Name: "Hospital", Country: "ES", Emergency: []string{"112"}},
		Normalise: func(typed string) (roamline.Number, error) {
			if typed == "" || strings.Trim(typed, "+0123456789 ") != "" {
				return "", &roamline.Error{Op: "test", Kind: roamline.Invalid, Err: io.ErrNoProgress}
			}
			return roamline.Number(strings.ReplaceAll(typed, " ", "")), nil
		},
		HashPassword: hash(8), HashPIN: hash(4),
		ClientChanged: note("client"), CredentialsChanged: note("credentials"),
		TrunkChanged: func(id roamline.TrunkID) { h.changed = append(h.changed, "trunk "+string(id)) },
		Log:          slog.New(slog.DiscardHandler), Now: h.clock,
	}
	for _, f := range set {
		f(&o)
	}
	if h.Door, err = New(o); err != nil {
		t.Fatal(err)
	}
	h.handler = h.Handler()
	return h
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// An answered is a response that was read.
type answered struct {
	t      *testing.T
	status int
	header http.Header
	text   string
}

func (a answered) want(status int) answered {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("got %d, want %d: %s", a.status, status, a.text)
	}
	return a
}

func (a answered) into(v any) answered {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.text), v); err != nil {
		a.t.Fatalf("%v in %q", err, a.text)
	}
	return a
}

func (a answered) kind() string {
	var p struct{ Type string }
	json.Unmarshal([]byte(a.text), &p)
	return p.Type
}

func (h *house) serve(handler http.Handler, r *http.Request) answered {
	h.t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code >= 400 && strings.HasPrefix(r.URL.Path, "/api/") && w.Header().Get("Content-Type") != "application/problem+json" {
		h.t.Errorf("%s %s: %d is no problem document but %q", r.Method, r.URL.Path, w.Code, w.Header().Get("Content-Type"))
	}
	return answered{h.t, w.Code, w.Header(), w.Body.String()}
}

// local asks as the administrator on the socket.
func (h *house) local(method, path, body string, header ...string) answered {
	h.t.Helper()
	r := httptest.NewRequest(method, "http://local"+base+path, strings.NewReader(body))
	r.RemoteAddr = "@"
	set(r, header)
	return h.serve(h.Local(), r)
}

func set(r *http.Request, header []string) {
	if r.ContentLength > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
}

// A browser is a client with its key.
type browser struct {
	h     *house
	key   *ecdsa.PrivateKey
	token string
	id    roamline.ClientID
	from  string
}

func (h *house) stranger() *browser {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h: h, key: key, from: "192.0.2.7:4711"}
}

// browser is a client that waits; admitted one that does not.
func (h *house) browser() *browser {
	h.t.Helper()
	b := h.stranger()
	b.renew().want(200)
	return b
}

func (h *house) admitted() *browser {
	h.t.Helper()
	b := h.browser()
	h.local("POST", "/clients/"+string(b.id)+"/admit", "{}").want(200)
	return b
}

func (b *browser) renew() answered {
	b.h.t.Helper()
	r := b.request("POST", "/token", "{}")
	r.Header.Set("DPoP", b.proof(proofOf{method: "POST", url: origin + base + "/token"}))
	a := b.h.serve(b.h.handler, r)
	var j tokenJSON
	if a.status == 200 {
		a.into(&j)
		b.token, b.id = j.AccessToken, roamline.ClientID(j.Client.ID)
	}
	return a
}

func (b *browser) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, origin+base+path, strings.NewReader(body))
	r.RemoteAddr = b.from
	set(r, nil)
	return r
}

// signed is a request with token and proof.
func (b *browser) signed(method, path, body string, header ...string) *http.Request {
	r := b.request(method, path, body)
	url, _, _ := strings.Cut(origin+base+path, "?")
	r.Header.Set("Authorization", "DPoP "+b.token)
	r.Header.Set("DPoP", b.proof(proofOf{method: method, url: url, token: b.token}))
	set(r, header)
	return r
}

func (b *browser) do(method, path, body string, header ...string) answered {
	b.h.t.Helper()
	return b.h.serve(b.h.handler, b.signed(method, path, body, header...))
}

// proofOf is what a proof says; what is left out is as it should be.
type proofOf struct {
	method, url, token, jti, typ string
	at                           time.Time
	with                         *ecdsa.PrivateKey // signs instead of the key that is shown
	drop                         string            // a claim to leave out
}

func (b *browser) proof(p proofOf) string {
	b.h.t.Helper()
	if p.jti == "" {
		p.jti = rand.Text()
	}
	if p.typ == "" {
		p.typ = "dpop+jwt"
	}
	if p.at.IsZero() {
		p.at = b.h.clock()
	}
	signing := b.key
	if p.with != nil {
		signing = p.with
	}
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(p.typ)).
		WithHeader("jwk", jose.JSONWebKey{Key: &b.key.PublicKey})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: signing}, options)
	if err != nil {
		b.h.t.Fatal(err)
	}
	claims := map[string]any{"jti": p.jti, "htm": p.method, "htu": p.url, "iat": p.at.Unix()}
	if p.token != "" {
		claims["ath"] = digest(p.token)
	}
	delete(claims, p.drop)
	payload, _ := json.Marshal(claims)
	sig, err := signer.Sign(payload)
	if err != nil {
		b.h.t.Fatal(err)
	}
	text, err := sig.CompactSerialize()
	if err != nil {
		b.h.t.Fatal(err)
	}
	return text
}

// user makes a person and returns her identifier.
func (h *house) user(body string) string {
	h.t.Helper()
	var u userJSON
	h.local("POST", "/users", body).want(201).into(&u)
	return u.ID
}

// administrator is somebody with that role at an admitted client.
func (h *house) administrator() *browser {
	h.t.Helper()
	h.user(`{"login":"root","name":"Root","roles":["administrator"],"password":"long enough"}`)
	b := h.admitted()
	h.local("PUT", "/clients/"+string(b.id)+"/binding", `{"user":"root"}`).want(200)
	return b
}

// A board is a switchboard that believes "hash of <secret>".
type board struct {
	store roamline.Store
	mu    sync.Mutex
	at    map[roamline.ClientID]roamline.Binding
	calls []roamline.CallView
	watch []chan roamline.News
	busy  error // what Identify says instead
	last  roamline.Claim
	ended []roamline.CallID
	freed []roamline.ReleaseReason

	fetched []roamline.ClientID
}

func (b *board) Identify(ctx context.Context, c roamline.Claim) (roamline.Binding, error) {
	b.last = c
	if b.busy != nil {
		return roamline.Binding{}, b.busy
	}
	found, _, err := b.store.Users().List(ctx, roamline.Query{Where: map[string]string{"login": c.Login}})
	if err == nil && len(found) == 1 {
		kept, err := b.store.Secret(ctx, roamline.SecretKind(c.Method), string(found[0].ID))
		if err == nil && kept.Reveal() == "hash of "+c.Secret.Reveal() {
			return b.bind(found[0].ID, c.Client, roamline.Identification{Method: c.Method}), nil
		}
	}
	return roamline.Binding{}, &roamline.Error{Op: "test", Kind: roamline.Unauthorized}
}

func (b *board) Put(_ context.Context, u roamline.UserID, at roamline.ClientID, by roamline.UserID) (roamline.Binding, error) {
	return b.bind(u, at, roamline.Identification{Method: roamline.ByAdministrator, By: by}), nil
}

func (b *board) Vouch(_ context.Context, u roamline.UserID, at roamline.ClientID, system string) (roamline.Binding, error) {
	return b.bind(u, at, roamline.Identification{Method: roamline.ByOutside, By: roamline.UserID(system)}), nil
}

func (b *board) Withdraw(ctx context.Context, u roamline.UserID, at roamline.ClientID, system string) error {
	if there, ok := b.At(at); ok && u != "" && there.User != u {
		return &roamline.Error{Op: "test", Kind: roamline.Conflict, Of: string(at)}
	}
	return b.Release(ctx, at, roamline.ReleasedBy(system))
}

func (b *board) bind(u roamline.UserID, at roamline.ClientID, proof roamline.Identification) roamline.Binding {
	b.mu.Lock()
	one := roamline.Binding{User: u, Client: at, Proof: proof, Since: time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)}
	for c, was := range b.at {
		if was.User == u {
			delete(b.at, c)
		}
	}
	b.at[at] = one
	b.mu.Unlock()
	b.tell(roamline.News{Kind: roamline.NewsBound, Client: at, Binding: &one})
	return one
}

func (b *board) Release(_ context.Context, at roamline.ClientID, why roamline.ReleaseReason) error {
	b.mu.Lock()
	one, ok := b.at[at]
	delete(b.at, at)
	b.mu.Unlock()
	if !ok {
		return &roamline.Error{Op: "test", Kind: roamline.NotFound, Of: string(at)}
	}
	b.freed = append(b.freed, why)
	b.tell(roamline.News{Kind: roamline.NewsReleased, Client: at, Binding: &one, Reason: why})
	return nil
}

func (b *board) Bindings() (all []roamline.Binding) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.at {
		all = append(all, one)
	}
	return all
}

func (b *board) At(c roamline.ClientID) (roamline.Binding, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	one, ok := b.at[c]
	return one, ok
}

func (b *board) Touch(roamline.ClientID) {}

func (b *board) Calls() []roamline.CallView {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls
}

func (b *board) End(_ context.Context, id roamline.CallID) error {
	b.ended = append(b.ended, id)
	return nil
}

func (b *board) Watch(ctx context.Context) <-chan roamline.News {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan roamline.News, 64)
	for _, one := range b.at {
		ch <- roamline.News{Kind: roamline.NewsBound, Client: one.Client, Binding: &one}
	}
	for _, v := range b.calls {
		ch <- roamline.News{Kind: roamline.NewsCall, Call: &v}
	}
	ch <- roamline.News{Kind: roamline.NewsReady}
	b.watch = append(b.watch, ch)
	context.AfterFunc(ctx, func() { b.unwatch(ch) })
	return ch
}

func (b *board) unwatch(ch chan roamline.News) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, one := range b.watch {
		if one == ch {
			b.watch = append(b.watch[:i], b.watch[i+1:]...)
			close(ch)
			return
		}
	}
}

func (b *board) tell(n roamline.News) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.watch {
		ch <- n
	}
}
