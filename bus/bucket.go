package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/roamline/roamline"
)

const (
	contactsBucket  = "ROAMLINE_CONTACTS"
	snapshotsBucket = "ROAMLINE_SNAPSHOTS"
	valueLimit      = 256 << 10 // bytes
)

// markerLife is how long the mark of a removed key stays. Without an end to it,
// every call would leave one behind for ever. The removal itself does not need
// the mark.
const markerLife = time.Minute

func openBucket(ctx context.Context, js jetstream.JetStream, name, about string, replicas int) (jetstream.KeyValue, error) {
	bucket, err := js.KeyValue(ctx, name)
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return bucket, err
	}
	bucket, err = js.CreateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:         name,
		Description:    about,
		History:        1,
		Storage:        jetstream.FileStorage,
		Replicas:       replicas,
		MaxValueSize:   valueLimit,
		LimitMarkerTTL: markerLife,
	})
	if errors.Is(err, jetstream.ErrBucketExists) { // another node was quicker
		return js.KeyValue(ctx, name)
	}
	return bucket, err
}

// PutContacts keeps the contacts of a client in place of those before; none
// removes the client. At most 256 KiB.
func (b *Bus) PutContacts(ctx context.Context, c roamline.ClientID, contacts []roamline.Contact) error {
	const op = "bus.PutContacts"
	if len(contacts) == 0 {
		return drop(ctx, b.contacts, op, string(c))
	}
	data, err := writeContacts(contacts)
	if err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: string(c), Err: err}
	}
	return put(ctx, b.contacts, op, string(c), data)
}

// Contacts returns the contacts of every client that has any, expired ones
// too.
func (b *Bus) Contacts(ctx context.Context) (map[roamline.ClientID][]roamline.Contact, error) {
	const op = "bus.Contacts"
	kept, err := list(ctx, b.contacts, op)
	if err != nil {
		return nil, err
	}
	all := make(map[roamline.ClientID][]roamline.Contact, len(kept))
	for key, data := range kept {
		if all[roamline.ClientID(key)], err = readContacts(data); err != nil {
			return nil, &roamline.Error{Op: op, Of: key, Err: err}
		}
	}
	return all, nil
}

// PutSnapshot keeps what is known of a call in place of what was known before.
// At most 256 KiB.
func (b *Bus) PutSnapshot(ctx context.Context, id roamline.CallID, data []byte) error {
	return put(ctx, b.snapshots, "bus.PutSnapshot", string(id), data)
}

// DropSnapshot removes the call's snapshot, if there is one.
func (b *Bus) DropSnapshot(ctx context.Context, id roamline.CallID) error {
	return drop(ctx, b.snapshots, "bus.DropSnapshot", string(id))
}

// Snapshots returns the snapshots of all calls that have one.
func (b *Bus) Snapshots(ctx context.Context) (map[roamline.CallID][]byte, error) {
	kept, err := list(ctx, b.snapshots, "bus.Snapshots")
	if err != nil {
		return nil, err
	}
	all := make(map[roamline.CallID][]byte, len(kept))
	for key, data := range kept {
		all[roamline.CallID(key)] = data
	}
	return all, nil
}

func put(ctx context.Context, bucket jetstream.KeyValue, op, key string, data []byte) error {
	name, err := writeKey(key)
	if err == nil && len(data) > valueLimit {
		err = fmt.Errorf("%d bytes: at most %d", len(data), valueLimit)
	}
	if err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: key, Err: err}
	}
	_, err = bucket.Put(ctx, name, data)
	return fail(op, key, err)
}

func drop(ctx context.Context, bucket jetstream.KeyValue, op, key string) error {
	name, err := writeKey(key)
	if err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: key, Err: err}
	}
	return fail(op, key, bucket.Purge(ctx, name, jetstream.PurgeTTL(markerLife)))
}

// quiet is how long a listing may stand still before it is begun again.
const quiet = time.Second

// list returns every key and value that was there when it began. NATS counts at
// the beginning what it will send; if a key is removed on the way, the last
// entry never comes, and the client waits for the next change of the bucket.
// Then the listing is begun anew.
func list(ctx context.Context, bucket jetstream.KeyValue, op string) (map[string][]byte, error) {
	for {
		all, whole, err := listOnce(ctx, bucket, op)
		if whole || err != nil {
			return all, err
		}
	}
}

func listOnce(ctx context.Context, bucket jetstream.KeyValue, op string) (all map[string][]byte, whole bool, err error) {
	watch, err := bucket.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, false, fail(op, "", err)
	}
	defer watch.Stop()
	all = make(map[string][]byte)
	still := time.NewTimer(quiet)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, false, fail(op, "", ctx.Err())
		case <-still.C:
			return nil, false, nil
		case entry, open := <-watch.Updates():
			if !open {
				return nil, false, fail(op, "", jetstream.ErrConsumerDeleted)
			}
			if entry == nil { // that was all
				return all, true, nil
			}
			key, err := readKey(entry.Key())
			if err != nil {
				return nil, false, &roamline.Error{Op: op, Of: entry.Key(), Err: err}
			}
			all[key] = entry.Value()
			still.Reset(quiet)
		}
	}
}
