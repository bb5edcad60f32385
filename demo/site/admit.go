package site

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// mostAdmitted bounds the clients that a demonstration admits by itself.
const mostAdmitted = 50

// A waiting client, as the API lists it.
type waiting struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	State string `json:"state"`
}

// Admit lets in every client that shows up, until ctx ends: a demonstration has
// nobody who could. It looks every quarter of a second.
func (s *Site) Admit(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for admitted := 0; admitted < mostAdmitted; {
		n, err := s.admitAll(ctx)
		admitted += n
		if err != nil && ctx.Err() == nil {
			log.Debug("a client could not be admitted", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
	log.Warn("the demonstration admits no more clients by itself", "admitted", mostAdmitted)
}

func (s *Site) admitAll(ctx context.Context) (admitted int, err error) {
	list, err := s.clients(ctx)
	if err != nil {
		return 0, err
	}
	for _, c := range list {
		if c.State != "waiting" {
			continue
		}
		admit := "/clients/" + url.PathEscape(c.ID) + "/admit"
		err := s.Do(ctx, "POST", admit, map[string]string{"name": deskName(c.Name)}, nil)
		if statusOf(err) == http.StatusConflict { // another has this name: it keeps its own
			err = s.Do(ctx, "POST", admit, map[string]string{}, nil)
		}
		if err != nil {
			return admitted, err
		}
		admitted++
	}
	return admitted, nil
}

// clients returns every client that the server knows.
func (s *Site) clients(ctx context.Context) ([]waiting, error) {
	var all []waiting
	for after := ""; ; {
		var page struct {
			Items []waiting `json:"items"`
			Next  string    `json:"next"`
		}
		if err := s.Do(ctx, "GET", "/clients?limit=200&after="+url.QueryEscape(after), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if after = page.Next; after == "" || len(all) > 2000 {
			return all, nil
		}
	}
}

var (
	desk   = regexp.MustCompile(`(?i)^desk ?([0-9]{1,3})\b`)
	office = regexp.MustCompile(`(?i)^office\b`)
)

// deskName makes "Desk 1" of the hint "desk1", "Office" of "office", and leaves
// others.
func deskName(hint string) string {
	if m := desk.FindStringSubmatch(hint); m != nil {
		return "Desk " + m[1]
	}
	if office.MatchString(hint) {
		return "Office"
	}
	return strings.TrimSpace(hint)
}
