package main

import (
	"fmt"
	"time"
)

// callFlags say what is done with calls to a person; what is not given stays.
type callFlags struct {
	ForwardAlways      *string `help:"Where every call goes; empty: nowhere." placeholder:"NUMBER" group:"Calls to her"`
	ForwardBusy        *string `help:"Where calls go when she is busy, or not to be disturbed." placeholder:"NUMBER" group:"Calls to her"`
	ForwardNoAnswer    *string `help:"Where calls go that she does not answer." placeholder:"NUMBER" group:"Calls to her"`
	ForwardNotSignedIn *string `help:"Where calls go while she is signed in nowhere." placeholder:"NUMBER" group:"Calls to her"`
	DoNotDisturb       *bool   `help:"Nothing rings; callers are told that she is busy." negatable:"" group:"Calls to her"`
	Wait               *string `help:"How long a call waits for her, ringing, while she is signed in nowhere, such as 20s. 0: not at all; empty: as long as the site says." placeholder:"TIME" group:"Calls to her"`
}

// put writes what was given into a change of a user.
func (f callFlags) put(user record) error {
	calls := record{}
	given(calls, "forwardAlways", f.ForwardAlways)
	given(calls, "forwardBusy", f.ForwardBusy)
	given(calls, "forwardNoAnswer", f.ForwardNoAnswer)
	given(calls, "forwardNotSignedIn", f.ForwardNotSignedIn)
	given(calls, "doNotDisturb", f.DoNotDisturb)
	switch {
	case f.Wait == nil:
	case *f.Wait == "":
		calls["waitMs"] = nil
	default:
		wait, err := time.ParseDuration(*f.Wait)
		if err != nil || wait < 0 {
			return &failure{why: fmt.Sprintf("%q is not a time", *f.Wait), todo: "Write it as 20s, 1m30s or 0"}
		}
		calls["waitMs"] = wait.Milliseconds()
	}
	if len(calls) > 0 {
		user["calls"] = calls
	}
	return nil
}

// callColumns show what is done with calls to a person.
func callColumns() []column {
	of := func(title, name string) column {
		return column{title, func(r record) string {
			calls, _ := r["calls"].(map[string]any)
			return show(calls[name])
		}}
	}
	wait := func(r record) string {
		calls, _ := r["calls"].(map[string]any)
		ms, said := calls["waitMs"].(float64)
		switch {
		case !said:
			return ""
		case ms == 0:
			return "not at all"
		}
		return (time.Duration(ms) * time.Millisecond).String()
	}
	return []column{of("Forwards all calls to", "forwardAlways"), of("Not to be disturbed", "doNotDisturb"),
		of("Busy: forwards to", "forwardBusy"), of("Not answered: forwards to", "forwardNoAnswer"),
		of("Not signed in: forwards to", "forwardNotSignedIn"), {"Calls wait for her", wait}}
}
