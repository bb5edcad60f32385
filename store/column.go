package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// micros is how a time is kept; NULL is the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// A moment reads what micros wrote.
type moment struct{ t *time.Time }

func (m moment) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*m.t = time.Time{}
	case int64:
		*m.t = time.UnixMicro(value).UTC()
	default:
		return fmt.Errorf("a time is kept as %T", value)
	}
	return nil
}

// optional is how a reference is kept that may be empty.
func optional(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// A reference reads what optional wrote, into any type of text.
type reference[T ~string] struct{ to *T }

func (r reference[T]) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*r.to = ""
	case string:
		*r.to = T(value)
	default:
		return fmt.Errorf("a reference is kept as %T", value)
	}
	return nil
}

// encode is how a list is kept, each item in its kept form; an empty one as [].
func encode[T, K any](list []T, keep func(T) K) string {
	kept := make([]K, len(list))
	for i, item := range list {
		kept[i] = keep(item)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		panic(err) // the kept forms are plain texts and numbers
	}
	return string(text)
}

// A list reads what encode wrote; an empty one as nil.
type list[T, K any] struct {
	to   *[]T
	back func(K) T
}

func (l list[T, K]) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a list is kept as %T", value)
	}
	var kept []K
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		return err
	}
	*l.to = nil
	for _, item := range kept {
		*l.to = append(*l.to, l.back(item))
	}
	return nil
}

func same[T any](item T) T { return item }
