package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A Problem is an error that the server explained (RFC 9457).
type Problem struct {
	Status     int    `json:"status"`
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	RetryAfter string `json:"-"`
}

func (p *Problem) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("client: %d %s: %s", p.Status, p.Title, p.Detail), ": ")
}

const mostJSON = 1 << 20

// bearer returns a token with at least half a minute left, asking for a new one
// if need be.
func (c *Client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	token, expires := c.token, c.expires
	c.mu.Unlock()
	if token != "" && time.Until(expires) > 30*time.Second {
		return token, nil
	}
	var got struct {
		AccessToken string `json:"accessToken"`
		ExpiresInMs int64  `json:"expiresInMs"`
		Client      Self   `json:"client"`
	}
	if err := c.send(ctx, "POST", "/token", "", map[string]string{"nameHint": c.opt.Name}, &got); err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token, c.expires = got.AccessToken, time.Now().Add(time.Duration(got.ExpiresInMs)*time.Millisecond)
	c.self = got.Client
	return c.token, nil
}

// api calls the server with token and proof.
func (c *Client) api(ctx context.Context, method, path string, in, out any) error {
	token, err := c.bearer(ctx)
	if err != nil {
		return err
	}
	return c.send(ctx, method, path, token, in, out)
}

func (c *Client) send(ctx context.Context, method, path, token string, in, out any) error {
	res, err := c.do(ctx, method, path, token, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, mostJSON)).Decode(out); err != nil {
		return fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	return nil
}

// do returns an answer of 2xx with its body open, or an error.
func (c *Client) do(ctx context.Context, method, path, token string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	target := c.opt.Server + "/api/v1" + path
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	proof, err := c.key.prove(method, target, token, time.Now())
	if err != nil {
		return nil, fmt.Errorf("client: proof: %w", err)
	}
	req.Header.Set("DPoP", proof)
	req.Header.Set("Origin", c.opt.Server)
	if token != "" {
		req.Header.Set("Authorization", "DPoP "+token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("client: %s %s: %w", method, path, err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	p := &Problem{}
	if b, err := io.ReadAll(io.LimitReader(res.Body, mostJSON)); err == nil && json.Unmarshal(b, p) != nil {
		p.Title = http.StatusText(res.StatusCode)
	}
	p.Status, p.RetryAfter = res.StatusCode, res.Header.Get("Retry-After")
	return nil, p
}

// An Event is one piece of live news: Name is "bound", "released", "call", ...
type Event struct {
	Name string
	Data json.RawMessage
}

// Events opens the live news. The channel is closed when ctx ends, the client
// is closed, or the server ends the stream. Who does not read keeps the stream
// waiting.
func (c *Client) Events(ctx context.Context) (<-chan Event, error) {
	token, err := c.bearer(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(c.life, cancel)
	res, err := c.do(ctx, "GET", "/client/events", token, nil)
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	out := make(chan Event, 16)
	c.work.Go(func() {
		defer close(out)
		defer res.Body.Close()
		defer cancel()
		defer stop()
		readEvents(ctx, res.Body, out)
	})
	return out, nil
}

// readEvents reads text/event-stream (the HTML standard, section 9.2).
func readEvents(ctx context.Context, r io.Reader, out chan<- Event) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, mostJSON)
	var e Event
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if e.Name != "" || e.Data != nil {
				select {
				case out <- e:
				case <-ctx.Done():
					return
				}
			}
			e = Event{}
		case field == "event":
			e.Name = value
		case field == "data" && len(e.Data)+len(value) < mostJSON:
			e.Data = append(e.Data, value...)
		}
	}
}
