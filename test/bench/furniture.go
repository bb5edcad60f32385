package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"
)

// A house is the server with the people and machines that the measurements need.
type house struct {
	*process
	password string   // of every phone
	clients  []string // identifiers; client i has the login webI
	trunk    *trunk
	phones   []*phoneClient
}

// number is user i's; the format is also the load generator's.
const number = "+3491000%04d"

// furnish adds users, a phone for each, and a trunk from all of 127.0.0.1.
func furnish(ctx context.Context, s *process, n int) (*house, error) {
	h := &house{process: s, password: rand.Text(), clients: make([]string, n)}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for i := range n {
		g.Go(func() error {
			err := s.ask(within, "POST", "/users", map[string]any{
				"login": login(i), "name": fmt.Sprintf("User %d", i), "numbers": []string{fmt.Sprintf(number, i)}}, nil)
			if err != nil {
				return err
			}
			var made struct{ ID string }
			err = s.ask(within, "POST", "/clients", map[string]any{
				"name": fmt.Sprintf("Phone %d", i), "kind": "phone", "login": login(i), "password": h.password}, &made)
			h.clients[i] = made.ID
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	t, err := newTrunk(s.sip)
	if err != nil {
		return nil, err
	}
	h.trunk = t
	at := t.conn.LocalAddr().(*net.UDPAddr)
	err = s.ask(ctx, "POST", "/trunks", map[string]any{"name": "bench", "enabled": true,
		"gateways": []any{map[string]any{"host": at.IP.String(), "port": at.Port, "transport": "udp"}},
		"sources":  []any{map[string]any{"prefix": "127.0.0.1/32"}}}, nil)
	return h, errors.Join(err, h.home(ctx))
}

func login(i int) string { return fmt.Sprintf("web%d", i) }

// put puts user u at client c.
func (h *house) put(ctx context.Context, u, c int) error {
	return h.ask(ctx, "PUT", "/clients/"+h.clients[c]+"/binding", map[string]any{"user": login(u)}, nil)
}

// home puts every user at her own client.
func (h *house) home(ctx context.Context) error {
	for i := range h.clients {
		if err := h.put(ctx, i, i); err != nil {
			return err
		}
	}
	return nil
}

// register brings all phones to the server.
func (h *house) register(ctx context.Context) error {
	for i := range h.clients {
		p, err := newPhone(ctx, h, i)
		if err != nil {
			return fmt.Errorf("phone %d: %w", i, err)
		}
		h.phones = append(h.phones, p)
	}
	return nil
}

// hangUp takes the phones away.
func (h *house) hangUp() {
	for _, p := range h.phones {
		p.agent.Close()
	}
	h.phones = nil
}

func (h *house) close() {
	h.hangUp()
	h.trunk.agent.Close()
}
