// Package site is the demonstration's made-up ward: its people, numbers and
// trunk, set up through the server's own API as an administrator would do it.
package site

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// A Person of the made-up site. Her password is shown on the demonstration's
// page and nowhere else.
type Person struct {
	Login         string   `json:"login"`
	Name          string   `json:"name"`
	Language      string   `json:"language"`
	Numbers       []string `json:"numbers"` // the first is the one to call
	Password      string   `json:"password"`
	PIN           string   `json:"pin"`
	Administrator bool     `json:"administrator"`
}

// People are who works there.
var People = []Person{
	{Login: "ana", Name: "Ana García", Language: "es-ES", Numbers: []string{"+34910000001", "1001"}, Password: "ana-wears-green", PIN: "7418"},
	{Login: "luis", Name: "Luis Ortega", Language: "es-ES", Numbers: []string{"+34910000002", "1002"}, Password: "luis-likes-tea", PIN: "8529"},
	{Login: "emma", Name: "Emma Clarke", Language: "en-GB", Numbers: []string{"+34910000003", "1003"}, Password: "emma-runs-late", PIN: "9637"},
	{Login: "noah", Name: "Noah Wright", Language: "en-GB", Numbers: []string{"+34910000004", "1004"}, Password: "noah-keeps-keys", PIN: "3751", Administrator: true},
}

// TrunkName is what the trunk to the pretend carrier is called.
const TrunkName = "Pretend carrier"

// A Site speaks to a server as its administrator.
type Site struct{ http *http.Client }

// Of returns the site behind by, which carries requests as administrator: the
// server's Unix socket.
func Of(by http.RoundTripper) *Site { return &Site{&http.Client{Transport: by}} }

// SetUp makes people, numbers and the trunk to the carrier at addr
// ("127.0.0.1:5080", transport "udp" or "tcp"). What is there stays, but the
// trunk is pointed to addr.
func (s *Site) SetUp(ctx context.Context, addr, transport string) error {
	for _, p := range People {
		roles := []string{}
		if p.Administrator {
			roles = append(roles, "administrator")
		}
		err := s.Do(ctx, "POST", "/users", map[string]any{"login": p.Login, "name": p.Name, "language": p.Language,
			"numbers": p.Numbers, "password": p.Password, "pin": p.PIN, "roles": roles}, nil)
		if err != nil && statusOf(err) != http.StatusConflict {
			return fmt.Errorf("site: %s: %w", p.Name, err)
		}
	}
	if err := s.trunk(ctx, addr, transport); err != nil {
		return fmt.Errorf("site: trunk: %w", err)
	}
	return nil
}

func (s *Site) trunk(ctx context.Context, addr, transport string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	trunk := map[string]any{"name": TrunkName, "enabled": true, "emergency": true, "codecs": []string{"PCMA", "PCMU", "opus"},
		"gateways": []map[string]any{{"host": host, "port": n, "transport": transport}}}
	if transport == "tcp" { // its connections come from any port
		trunk["sources"] = []map[string]any{{"prefix": host, "transport": "tcp"}}
	}
	var have struct{ Items []struct{ ID, Name string } }
	if err := s.Do(ctx, "GET", "/trunks?match="+url.QueryEscape(TrunkName), nil, &have); err != nil {
		return err
	}
	for _, t := range have.Items {
		if t.Name == TrunkName {
			return s.Do(ctx, "PUT", "/trunks/"+t.ID, trunk, nil)
		}
	}
	return s.Do(ctx, "POST", "/trunks", trunk, nil)
}

// A failed request.
type failed struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
}

func (f *failed) Error() string {
	if f.Detail != "" && f.Detail != f.Title {
		return fmt.Sprintf("%d %s: %s", f.Status, f.Title, f.Detail)
	}
	return fmt.Sprintf("%d %s", f.Status, f.Title)
}

func statusOf(err error) int {
	if f, ok := err.(*failed); ok {
		return f.Status
	}
	return 0
}

// most is the longest answer that is read, in bytes.
const most = 8 << 20

// Do calls the API under /api/v1; out may be nil.
func (s *Site) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://local/api/v1"+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method == "PUT" || method == "PATCH" || method == "DELETE" {
		req.Header.Set("If-Match", "*")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		f := &failed{}
		if json.Unmarshal(b, f) != nil || f.Title == "" {
			f.Title = http.StatusText(res.StatusCode)
		}
		f.Status = res.StatusCode
		return f
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}
