package server

import (
	"context"
	"reflect"
	"time"

	"github.com/roamline/roamline"
)

// loadTrunks tells the SIP door which trunks there are.
func (s *Server) loadTrunks(ctx context.Context) error {
	all, _, err := s.store.Trunks().List(ctx, roamline.Query{Limit: 1000})
	if err != nil {
		return err
	}
	s.sip.SetTrunks(all, func(id roamline.TrunkID) roamline.Secret {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		secret, err := s.store.Secret(ctx, roamline.TrunkSecret, string(id))
		if err != nil && roamline.KindOf(err) != roamline.NotFound {
			s.log.Error("a trunk's password can't be read", "trunk", id, "err", err)
		}
		return secret
	})
	return nil
}

func (s *Server) trunksChanged() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.loadTrunks(ctx); err != nil {
		s.log.Error("the trunks' change is not in force yet", "err", err)
	}
}

// tellTrunks tells watching pages when a trunk's state changed.
func (s *Server) tellTrunks(run context.Context) {
	known := map[roamline.TrunkID]roamline.TrunkStatus{}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-run.Done():
			return
		case <-tick.C:
		}
		now := map[roamline.TrunkID]roamline.TrunkStatus{}
		for _, st := range s.sip.TrunkStatus() {
			now[st.Trunk] = st
			if !reflect.DeepEqual(known[st.Trunk], st) {
				s.board.Tell(roamline.News{Kind: roamline.NewsTrunk, Trunk: &st})
			}
		}
		known = now
	}
}
