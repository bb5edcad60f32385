package bus

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/roamline/roamline"
)

// schema is the version of the kept forms. A form with another one is not
// read: its meaning is not known here.
const schema = 1

// The kept forms of a record and of contacts. They have the fields of the
// root's types, and don't compile when those change: then old records need a
// thought.
type (
	keptRecord struct {
		V     int             `json:"v"`
		At    time.Time       `json:"at"`
		Ended []keptDeparture `json:"ended,omitempty"`
		Open  *keptBinding    `json:"open,omitempty"`
	}
	keptDeparture struct {
		Binding keptBinding            `json:"binding"`
		Reason  roamline.ReleaseReason `json:"reason"`
	}
	keptBinding struct {
		User   roamline.UserID    `json:"user"`
		Client roamline.ClientID  `json:"client"`
		Proof  keptIdentification `json:"proof"`
		Since  time.Time          `json:"since"`
	}
	keptIdentification struct {
		ID     roamline.IdentificationID `json:"id"`
		User   roamline.UserID           `json:"user"`
		Client roamline.ClientID         `json:"client"`
		Method roamline.Method           `json:"method"`
		By     roamline.UserID           `json:"by,omitempty"`
		At     time.Time                 `json:"at"`
	}
	keptContacts struct {
		V        int           `json:"v"`
		Contacts []keptContact `json:"contacts"`
	}
	keptContact struct {
		URI       string    `json:"uri"`
		Instance  string    `json:"instance,omitempty"`
		RegID     int       `json:"reg_id,omitempty"`
		Transport string    `json:"transport"`
		Source    string    `json:"source"`
		Agent     string    `json:"agent,omitempty"`
		CallID    string    `json:"call_id"`
		CSeq      uint32    `json:"cseq"`
		Expires   time.Time `json:"expires"`
	}
)

func writeRecord(r roamline.BindingRecord) ([]byte, error) {
	kept := keptRecord{V: schema, At: r.At.UTC()}
	for _, d := range r.Ended {
		kept.Ended = append(kept.Ended, keptDeparture{Binding: keepBinding(d.Binding), Reason: d.Reason})
	}
	if r.Open != nil {
		open := keepBinding(*r.Open)
		kept.Open = &open
	}
	return json.Marshal(kept)
}

func readRecord(data []byte) (roamline.BindingRecord, error) {
	var kept keptRecord
	if err := json.Unmarshal(data, &kept); err != nil {
		return roamline.BindingRecord{}, err
	}
	if kept.V != schema {
		return roamline.BindingRecord{}, fmt.Errorf("it has version %d, this program reads %d", kept.V, schema)
	}
	r := roamline.BindingRecord{At: kept.At.UTC()}
	for _, d := range kept.Ended {
		r.Ended = append(r.Ended, roamline.Departure{Binding: backBinding(d.Binding), Reason: d.Reason})
	}
	if kept.Open != nil {
		open := backBinding(*kept.Open)
		r.Open = &open
	}
	return r, nil
}

func keepBinding(b roamline.Binding) keptBinding {
	proof := keptIdentification(b.Proof)
	proof.At = proof.At.UTC()
	return keptBinding{User: b.User, Client: b.Client, Proof: proof, Since: b.Since.UTC()}
}

func backBinding(b keptBinding) roamline.Binding {
	proof := roamline.Identification(b.Proof)
	proof.At = proof.At.UTC()
	return roamline.Binding{User: b.User, Client: b.Client, Proof: proof, Since: b.Since.UTC()}
}

func writeContacts(contacts []roamline.Contact) ([]byte, error) {
	kept := keptContacts{V: schema}
	for _, c := range contacts {
		c.Expires = c.Expires.UTC()
		kept.Contacts = append(kept.Contacts, keptContact(c))
	}
	return json.Marshal(kept)
}

func readContacts(data []byte) ([]roamline.Contact, error) {
	var kept keptContacts
	if err := json.Unmarshal(data, &kept); err != nil {
		return nil, err
	}
	if kept.V != schema {
		return nil, fmt.Errorf("it has version %d, this program reads %d", kept.V, schema)
	}
	var contacts []roamline.Contact
	for _, c := range kept.Contacts {
		c.Expires = c.Expires.UTC()
		contacts = append(contacts, roamline.Contact(c))
	}
	return contacts, nil
}
