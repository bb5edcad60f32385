package sip

import (
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// quiet takes what sipgo's transactions say about themselves; what matters is
// in the trace.
var quiet = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))

// A clientTx is a request of ours on its way. Its reply is called for each
// response, and once with an error if none final will come; never at the same
// time twice, and not from the goroutine that sent it.
type clientTx struct {
	door  *Door
	key   string
	tx    *sip.ClientTx
	req   *sip.Request
	flow  *flow
	reply func(*sip.Response, error)

	mu    sync.Mutex // orders replies
	final bool       // the reply had a final response or an error

	recv  sync.Mutex // guards pending
	count int        // responses that are being handed to tx
}

type clientTable struct {
	mu sync.Mutex
	by map[string]*clientTx
}

func newClientTable() *clientTable { return &clientTable{by: make(map[string]*clientTx)} }

func clientKey(branch string, method sip.RequestMethod) string {
	if method == sip.ACK {
		method = sip.INVITE
	}
	return branch + " " + string(method)
}

// begin sends req over f as a new client transaction.
func (d *Door) begin(req *sip.Request, f *flow, reply func(*sip.Response, error)) *clientTx {
	branch, _ := req.Via().Params.Get("branch")
	c := &clientTx{door: d, key: clientKey(branch, req.Method), req: req, flow: f, reply: reply}
	req.SetTransport(viaTransport(f.transport))
	c.tx = sip.NewClientTx(c.key, req, f, quiet)
	// sipgo takes the second 2xx of a fork for a repeated one: both come here, and
	// the dialog tells them apart (RFC 3261 section 13.2.2.4).
	c.tx.OnRetransmission(func(res *sip.Response) { c.pass(res, nil) })
	d.client.mu.Lock()
	d.client.by[c.key] = c
	d.client.mu.Unlock()
	if !f.hold(c) {
		d.spawn(func() { c.fail(errFlowClosed) })
		return c
	}
	d.spawn(c.run)
	return c
}

// run sends the request and passes on what comes. sipgo hands responses over
// by an unbuffered channel under the lock of its state machine, so there must
// always be somebody to take them.
func (c *clientTx) run() {
	defer c.forget()
	if err := c.tx.Init(); err != nil {
		c.tx.Terminate()
		c.pass(nil, err)
		return
	}
	for {
		select {
		case res := <-c.tx.Responses():
			c.pass(res, nil)
		case <-c.tx.Done():
			err := c.tx.Err()
			if err == nil {
				err = sip.ErrTransactionTerminated
			}
			c.pass(nil, err)
			return
		}
	}
}

func (c *clientTx) pass(res *sip.Response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final && (err != nil || c.req.Method != sip.INVITE || !res.IsSuccess()) {
		return
	}
	if err != nil || !res.IsProvisional() {
		c.final = true
		if c.req.Method != sip.INVITE { // Timer K is T4 (RFC 3261 section 17.1.2.2); sipgo waits Timer D
			time.AfterFunc(10*c.door.opt.T1, c.stop)
		}
	}
	if c.reply != nil {
		c.reply(res, err)
	}
}

// fail ends the transaction as if its transport had failed.
func (c *clientTx) fail(err error) {
	c.tx.Terminate()
	c.pass(nil, err)
	c.forget()
}

// stop ends the transaction; nothing more is passed on.
func (c *clientTx) stop() {
	c.door.spawn(func() {
		c.mu.Lock()
		c.final = true
		c.reply = nil
		c.mu.Unlock()
		c.tx.Terminate()
		c.forget()
	})
}

func (c *clientTx) forget() {
	c.door.client.mu.Lock()
	if c.door.client.by[c.key] == c {
		delete(c.door.client.by, c.key)
	}
	c.door.client.mu.Unlock()
	c.flow.release(c)
}

// response gives a response to its transaction; false if there is none.
func (d *Door) response(res *sip.Response) bool {
	v, cseq := res.Via(), res.CSeq()
	if v == nil || cseq == nil {
		return true
	}
	branch, _ := v.Params.Get("branch")
	d.client.mu.Lock()
	c := d.client.by[clientKey(branch, cseq.MethodName)]
	d.client.mu.Unlock()
	if c == nil {
		return false
	}
	// sipgo waits T2 under its lock before it acknowledges a repeated refusal: a
	// peer that repeats faster waits with the others.
	c.recv.Lock()
	if c.count >= 8 {
		c.recv.Unlock()
		return true
	}
	c.count++
	c.recv.Unlock()
	receive := func() {
		c.tx.Receive(res)
		c.recv.Lock()
		c.count--
		c.recv.Unlock()
	}
	c.mu.Lock()
	late := c.final
	c.mu.Unlock()
	if late {
		d.spawn(receive)
	} else {
		receive() // in the order of arrival
	}
	return true
}

func (t *clientTable) close() {
	t.mu.Lock()
	all := make([]*clientTx, 0, len(t.by))
	for _, c := range t.by {
		all = append(all, c)
	}
	t.mu.Unlock()
	for _, c := range all {
		c.fail(errFlowClosed)
	}
}

// A serverTx is a request of a peer that is being answered.
type serverTx struct {
	door *Door
	key  string
	tx   *sip.ServerTx
	req  *sip.Request
	in   *flow // it came from there
	to   *flow // responses go there
	tag  string

	mu   sync.Mutex
	done int // code of the final response; 0: none yet
}

type serverTable struct {
	mu sync.Mutex
	by map[string]*serverTx
}

func newServerTable() *serverTable { return &serverTable{by: make(map[string]*serverTx)} }

// serverKey finds the transaction of a request (RFC 3261 section 17.2.3). The
// source is a part of it, so that nobody can speak for another.
func serverKey(req *sip.Request, in *flow, method sip.RequestMethod) string {
	if method == sip.ACK {
		method = sip.INVITE
	}
	v := req.Via()
	branch, _ := v.Params.Get("branch")
	var b strings.Builder
	b.WriteString(in.transport + " " + in.remote.Addr().String() + " " + string(method) + " ")
	// Call-ID and number stay the same in what is repeated, in ACK and in CANCEL;
	// with them a peer that uses a branch twice is understood all the same.
	b.WriteString(v.Host + ":" + strconv.Itoa(v.Port) + " " + branch + " " + req.CallID().Value() + " " + strconv.FormatUint(uint64(req.CSeq().SeqNo), 10))
	if len(branch) > len(sip.RFC3261BranchMagicCookie) && strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		return b.String()
	}
	// RFC 2543: whatever else stays the same.
	b.WriteString(" " + tagOf(req.From()) + " " + req.Recipient.String())
	return b.String()
}

// accept makes the transaction of a new request; nil if it has one already.
func (d *Door) accept(req *sip.Request, in *flow) *serverTx {
	key := serverKey(req, in, req.Method)
	s := &serverTx{door: d, key: key, req: req, in: in, to: d.replyFlow(req, in), tag: newTag()}
	if t := tagOf(req.To()); t != "" {
		s.tag = t
	}
	req.SetTransport(viaTransport(in.transport))
	s.tx = sip.NewServerTx(key, req, s.to, quiet)
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	if d.server.by[key] != nil {
		return nil
	}
	d.server.by[key] = s
	s.tx.OnTerminate(func(string, error) {
		d.server.mu.Lock()
		if d.server.by[key] == s {
			delete(d.server.by, key)
		}
		d.server.mu.Unlock()
	})
	s.tx.Init()
	return s
}

func (d *Door) findServer(key string) *serverTx {
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	return d.server.by[key]
}

// again takes a repeated request: the last response is repeated too.
func (s *serverTx) again(req *sip.Request) { s.tx.Receive(req) }

// acked takes the ACK for a refusal (RFC 3261 section 17.2.1). sipgo starts a
// goroutine that offers it to somebody; this is somebody.
func (s *serverTx) acked(ack *sip.Request) {
	s.door.spawn(func() {
		select {
		case <-s.tx.Acks():
		case <-s.tx.Done():
		}
	})
	s.tx.Receive(ack)
}

// respond sends a response. The final one is sent once; repeating a 2xx is the
// dialog's affair, by repeat.
func (s *serverTx) respond(res *sip.Response) {
	s.mu.Lock()
	if s.done != 0 {
		s.mu.Unlock()
		return
	}
	if !res.IsProvisional() {
		s.done = res.StatusCode
	}
	s.mu.Unlock()
	s.tx.Respond(res)
}

// repeat sends a 2xx to INVITE once more.
func (s *serverTx) repeat(res *sip.Response) { s.tx.Respond(res) }

// finished returns the code of the final response; 0 if there is none.
func (s *serverTx) finished() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// answer sends a response without a body.
func (s *serverTx) answer(code int, reason string, headers ...sip.Header) {
	s.respond(s.response(code, reason, headers...))
}

// response builds one with the transaction's own To tag: the same in the 180,
// the 200 and the 487 (RFC 3261 section 8.2.6.2), and in the 200 to CANCEL.
func (s *serverTx) response(code int, reason string, headers ...sip.Header) *sip.Response {
	res := respondTo(s.req, s.in, code, reason, s.tag)
	res.AppendHeader(sip.NewHeader("Server", s.door.opt.Agent))
	for _, h := range headers {
		res.AppendHeader(h)
	}
	res.SetBody(nil)
	return res
}

func (t *serverTable) close() {
	t.mu.Lock()
	all := make([]*serverTx, 0, len(t.by))
	for _, s := range t.by {
		all = append(all, s)
	}
	t.mu.Unlock()
	for _, s := range all {
		s.tx.Terminate()
	}
}
