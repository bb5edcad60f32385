package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/roamline/roamline/demo/carrier"
)

// CallNumber asks the demonstration whose page is at page ("127.0.0.1:8090";
// empty: DefaultPage) to call a number, and tells on out how the call goes until
// it ends. If ctx ends first, the call is hung up. An error says that the demo
// does not run, or that nobody answered.
func CallNumber(ctx context.Context, page, number string, out io.Writer) error {
	if page == "" {
		page = DefaultPage
	}
	base := "http://" + page
	var made struct{ ID string }
	if err := ask(ctx, "POST", base+"/api/call", map[string]string{"to": number}, &made); err != nil {
		return err
	}
	fmt.Fprintf(out, "Calling %s\n", number)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for state := ""; ; {
		v, err := find(ctx, base, made.ID)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if v.State != state && err == nil {
			state = v.State
			switch state {
			case "ringing":
				fmt.Fprintln(out, "It rings")
			case "talking":
				fmt.Fprintf(out, "Answered after %.1f s, %s\n", time.Since(v.Placed).Seconds(), v.Voice.Codec)
			case "ended":
				if v.Status != 200 {
					return fmt.Errorf("not answered: %d %s", v.Status, v.Reason)
				}
				fmt.Fprintf(out, "Over after %d s; %d packets heard, %d lost\n", v.Seconds, v.Voice.Received, v.Voice.Lost)
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			return ask(end, "DELETE", base+"/api/calls/"+made.ID, nil, nil)
		}
	}
}

func find(ctx context.Context, base, id string) (carrier.View, error) {
	var got struct{ Calls []carrier.View }
	if err := ask(ctx, "GET", base+"/api/calls", nil, &got); err != nil {
		return carrier.View{}, err
	}
	for _, v := range got.Calls {
		if v.ID == id {
			return v, nil
		}
	}
	return carrier.View{}, fmt.Errorf("demo: the call is forgotten")
}

func ask(ctx context.Context, method, url string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the demo does not run: start it with \"roamline demo\" (%w)", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		var f failure
		if json.Unmarshal(b, &f) != nil || f.Title == "" {
			f.Title = res.Status
		}
		return fmt.Errorf("demo: %s", f.Title)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
