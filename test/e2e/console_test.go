package e2e

import (
	"testing"

	"github.com/roamline/roamline/test/house"
)

// An administrator brings people by a table, mends what is refused, and adds a
// trunk, in the real console on the real server.
func TestTheConsole(t *testing.T) {
	h := house.Start(t, nil)
	h.AddUser("ana", number)
	h.Do("POST", "/users", map[string]any{"login": "root", "name": "Rosa Admin", "password": house.Password, "roles": []string{"administrator"}}, nil)
	web := browse(t, 1000)
	web.do("open", command{"desk": "office", "url": h.URL()}, nil)
	h.AdmitNext("office")
	web.do("signIn", command{"desk": "office", "name": "root", "password": house.Password}, nil)

	web.do("import", command{"desk": "office", "url": h.URL() + "/console/people",
		"table":  "login,name,number,password\nana,Another,1002,\nben,Ben Okafor,1003,a long secret\n",
		"refuse": "Line 2", "mended": "login,name,number,password\ncy,Cy Brandt,1002,\nben,Ben Okafor,1003,a long secret\n", "then": "Ben Okafor"}, nil)
	var made struct{ Items []struct{ Login string } }
	h.Do("GET", "/users?match=okafor", nil, &made)
	if len(made.Items) != 1 || made.Items[0].Login != "ben" {
		t.Errorf("the table made %+v", made)
	}

	web.do("trunk", command{"desk": "office", "url": h.URL() + "/console/trunks", "name": "Carrier", "gateway": "127.0.0.9"}, nil)
	var trunks struct {
		Items []struct {
			Name     string
			Gateways []struct{ Host string }
			In       []struct{ Match, With string }
		}
	}
	h.Do("GET", "/trunks", nil, &trunks)
	if len(trunks.Items) != 1 || trunks.Items[0].Gateways[0].Host != "127.0.0.9" || len(trunks.Items[0].In) != 1 || trunks.Items[0].In[0].With != "+34$1" {
		t.Errorf("trunks %+v", trunks)
	}
}
