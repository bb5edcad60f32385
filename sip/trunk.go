package sip

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

// A trunkTable knows the trunks, and whose requests come from where.
type trunkTable struct {
	door *Door
	mu   sync.RWMutex
	by   map[roamline.TrunkID]*trunk
}

func newTrunkTable(d *Door) *trunkTable {
	return &trunkTable{door: d, by: map[roamline.TrunkID]*trunk{}}
}

// A trunk is one carrier or PBX, and what is known of it now.
type trunk struct {
	door *Door
	stop context.CancelFunc

	mu       sync.Mutex
	conf     roamline.Trunk
	secret   roamline.Secret
	in, out  []rewrite
	calls    *count // shared with what the trunk was before it was changed
	reg      registration
	gateways []gateway
}

// A gateway is a hop and what is known of it.
type gateway struct {
	hop    hop
	addrs  []netip.AddrPort // that its name led to
	tried  bool
	status roamline.GatewayStatus
}

// down reports whether the last OPTIONS found nobody.
func (g *gateway) down() bool { return g.tried && !g.status.Reachable }

// SetTrunks replaces the trunks. One that did not change keeps its
// registration; one that is gone or disabled is let go. Secret is asked for the
// password of each; it may be empty. nil: no trunk has one.
func (d *Door) SetTrunks(all []roamline.Trunk, secret func(roamline.TrunkID) roamline.Secret) {
	d.trunks.mu.Lock()
	defer d.trunks.mu.Unlock()
	keep := map[roamline.TrunkID]bool{}
	for _, cfg := range all {
		if !cfg.Enabled {
			continue
		}
		keep[cfg.ID] = true
		var pass roamline.Secret
		if secret != nil {
			pass = secret(cfg.ID)
		}
		if old := d.trunks.by[cfg.ID]; old != nil {
			if was := old.config(); was.Rev == cfg.Rev && old.login().secret == pass {
				continue
			}
			old.stop()
			d.trunks.by[cfg.ID] = d.newTrunk(cfg, pass, old.calls)
			continue
		}
		d.trunks.by[cfg.ID] = d.newTrunk(cfg, pass, &count{})
	}
	for id, t := range d.trunks.by {
		if !keep[id] {
			t.stop()
			delete(d.trunks.by, id)
		}
	}
}

func (d *Door) newTrunk(conf roamline.Trunk, secret roamline.Secret, calls *count) *trunk {
	ctx, cancel := context.WithCancel(d.ctx)
	t := &trunk{door: d, stop: cancel, conf: conf, secret: secret, calls: calls,
		in: compileRewrites(conf.In), out: compileRewrites(conf.Out), reg: registration{since: time.Now()}}
	for _, g := range conf.Gateways {
		h := hop{g}
		t.gateways = append(t.gateways, gateway{hop: h, status: roamline.GatewayStatus{Address: h.String()}})
	}
	if d.opt.HealthEvery > 0 {
		for i := range t.gateways {
			d.spawn(func() { t.watch(ctx, i) })
		}
	}
	if conf.Register && len(conf.Gateways) > 0 {
		t.reg.why = "It has not registered yet."
		d.spawn(func() { t.keepRegistered(ctx) })
	}
	return t
}

// close unregisters from every trunk, as far as ctx allows, and lets it go.
func (t *trunkTable) close(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var leaving sync.WaitGroup
	for _, one := range t.by {
		one.stop()
		one.mu.Lock()
		registered := one.reg.ok
		one.mu.Unlock()
		if registered {
			leaving.Go(func() {
				ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				one.register(ctx, 0)
			})
		}
	}
	leaving.Wait()
}

func (t *trunkTable) get(id roamline.TrunkID) *trunk {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.by[id]
}

// match returns the trunk that a flow comes from; nil if it comes from none.
// Sources that name a port are the closer match.
func (t *trunkTable) match(f *flow) *trunk {
	if f.web() {
		return nil
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	var found *trunk
	best := 0
	for _, one := range t.by {
		if how := one.matches(f); how > best || how == best && how > 0 && one.conf.Name < found.conf.Name {
			found, best = one, how
		}
	}
	return found
}

// matches says how closely a flow fits a trunk: 0 not, 1 by address, 2 by
// address and port.
func (t *trunk) matches(f *flow) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, best := f.remote, 0
	for _, s := range t.conf.Sources {
		if s.Transport != "" && s.Transport != f.transport || !s.Prefix.Contains(from.Addr()) {
			continue
		}
		if s.Port == 0 {
			best = max(best, 1)
		} else if s.Port == int(from.Port()) {
			best = 2
		}
	}
	for i := range t.gateways {
		if t.gateways[i].hop.transport() == f.transport {
			best = max(best, t.gateways[i].matches(f))
		}
	}
	return best
}

// matches says how closely a flow fits a gateway. Its connections come from any
// port, its datagrams from its own.
func (g *gateway) matches(f *flow) int {
	at := g.addrs
	if a := addrOf(g.hop.Host); a.IsValid() {
		at = []netip.AddrPort{netipPort(a, g.hop.Port, g.hop.transport())}
	}
	for _, one := range at {
		switch {
		case one == f.remote:
			return 2
		case f.stream() && one.Addr() == f.remote.Addr():
			return 1
		}
	}
	return 0
}

func (t *trunk) config() roamline.Trunk {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conf
}

func (t *trunk) name() string { return t.config().Name }

func (t *trunk) login() login {
	t.mu.Lock()
	defer t.mu.Unlock()
	return login{t.conf.Username, t.secret}
}

// enter counts a call in; false if the trunk has as many as it may. Beyond the
// limit is for emergency calls.
func (t *trunk) enter(beyond bool) bool {
	limit := t.config().MaxCalls
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	if limit > 0 && t.calls.n >= limit && !beyond {
		return false
	}
	t.calls.n++
	return true
}

func (t *trunk) leave() {
	t.calls.mu.Lock()
	defer t.calls.mu.Unlock()
	t.calls.n--
}

// A count is the number of calls on a trunk.
type count struct {
	mu sync.Mutex
	n  int
}

func (c *count) now() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// same reports whether t and u are one trunk, before and after a change.
func (t *trunk) same(u *trunk) bool {
	return t != nil && u != nil && t.config().ID == u.config().ID
}

// paths: a trunk is one way; which gateway it takes is decided when it is tried.
func (t *trunkTable) paths(id roamline.TrunkID) []roamline.Path {
	one := t.get(id)
	if one == nil {
		return nil
	}
	cfg, hops := one.config(), one.hops()
	if !cfg.Enabled || len(hops) == 0 {
		return nil
	}
	p := roamline.Path{Trunk: id, Transport: hops[0].transport(), Advertise: cfg.Advertise, Symmetric: cfg.Symmetric, Voice: trunkVoice(cfg.SRTP)}
	p.Remote = one.where(hops[0])
	return []roamline.Path{p}
}

// where is the address of a hop, as far as it is known without asking.
func (t *trunk) where(h hop) netip.AddrPort {
	if a := addrOf(h.Host); a.IsValid() {
		return netipPort(a, h.Port, h.transport())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range t.gateways {
		if g := &t.gateways[i]; g.hop == h && len(g.addrs) > 0 {
			return g.addrs[0]
		}
	}
	return netip.AddrPort{}
}

// TrunkStatus returns what is known of every enabled trunk.
func (d *Door) TrunkStatus() []roamline.TrunkStatus {
	d.trunks.mu.RLock()
	defer d.trunks.mu.RUnlock()
	list := make([]roamline.TrunkStatus, 0, len(d.trunks.by))
	for _, t := range d.trunks.by {
		list = append(list, t.status())
	}
	slices.SortFunc(list, func(a, b roamline.TrunkStatus) int { return cmp.Compare(a.Trunk, b.Trunk) })
	return list
}

func (t *trunk) status() roamline.TrunkStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := roamline.TrunkStatus{Trunk: t.conf.ID, Registered: t.reg.ok, Error: t.reg.why, Since: t.reg.since, Calls: t.calls.now()}
	up := len(t.gateways) == 0
	for i := range t.gateways {
		s.Gateways = append(s.Gateways, t.gateways[i].status)
		up = up || !t.gateways[i].down()
	}
	if !up && s.Error == "" {
		s.Error = "No gateway answers. Check address, port and firewall."
	}
	return s
}

// hops returns the gateways in the order in which they are tried: those that
// answer, by priority, then the others.
func (t *trunk) hops() []hop {
	t.mu.Lock()
	defer t.mu.Unlock()
	order := slices.Clone(t.gateways)
	slices.SortStableFunc(order, func(a, b gateway) int {
		if a.down() != b.down() {
			if b.down() {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.hop.Priority, b.hop.Priority)
	})
	list := make([]hop, len(order))
	for i := range order {
		list[i] = order[i].hop
	}
	return list
}
