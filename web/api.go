package web

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// maxBody is the most that a request body may hold, in bytes; maxImport that
// of an import.
const (
	maxBody   = 64 << 10
	maxImport = 2 << 20
)

const base = "/api/v1"

func newAPI(mux *http.ServeMux, version string) huma.API {
	if version == "" {
		version = "1"
	}
	registry := huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		return strings.ReplaceAll(huma.DefaultSchemaNamer(t, hint), "JSON", "")
	})
	return humago.New(mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:       "Roamline",
				Version:     version,
				Description: "A telephone line that follows the person. Durations are whole milliseconds, times RFC 3339.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"dpop": {
						Type: "http", Scheme: "DPoP",
						Description: "An access token bound to the client's key, with a proof of possession in the DPoP header of each request (RFC 9449).",
					},
					"system": {
						Type: "http", Scheme: "bearer",
						Description: "The credential of an outside system, as POST /systems/{id}/secret returned it.",
					},
				},
			},
			Tags: []*huma.Tag{
				{Name: "client", Description: "What a client does for whoever is at it."},
				{Name: "people"}, {Name: "clients"}, {Name: "trunks"}, {Name: "calls"},
				{Name: "systems", Description: "Programs outside that are trusted to say who is where."},
			},
		},
		Formats:                      huma.DefaultFormats,
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{silent},
	})
}

// silent takes the values out of what the validator complains about (one may
// be a password) and gives the complaint a title in words.
func silent(_ huma.Context, _ string, v any) (any, error) {
	if m, ok := v.(*huma.ErrorModel); ok {
		if m.Title == http.StatusText(m.Status) {
			m.Title = wordsFor(m.Status)
		}
		for _, e := range m.Errors {
			if e != nil {
				e.Value = nil
			}
		}
	}
	return v, nil
}

// wordsFor says in words what the framework refuses.
func wordsFor(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		return "That can't be read"
	case http.StatusUnprocessableEntity:
		return "That can't be used"
	case http.StatusRequestEntityTooLarge:
		return "That is too long"
	case http.StatusRequestTimeout:
		return "That took too long to arrive"
	}
	return http.StatusText(status)
}

// An access says who may call an operation.
type access int

const (
	forKey           access = iota // whoever holds a key, by its proof alone
	forClient                      // a client that is not revoked
	forAdmitted                    // an admitted client
	forBound                       // an admitted client that somebody is bound at
	forAdministrator               // one where an administrator is bound, or the local socket
	forSystem                      // no client, but an outside system with its own credential
)

// handle registers an operation. do gets who calls; its error becomes a
// problem document here and nowhere else.
func handle[I, O any](d *Door, who access, op huma.Operation, do func(context.Context, caller, *I) (*O, error)) {
	op.Path = base + op.Path
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBody
	}
	op.Middlewares = huma.Middlewares{d.authorize(who)}
	switch who {
	case forKey:
	case forSystem:
		op.Security = []map[string][]string{{"system": {}}}
	default:
		op.Security = []map[string][]string{{"dpop": {}}}
	}
	huma.Register(d.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, callerIn(ctx), in)
		if err != nil {
			return nil, d.problem(ctx, err)
		}
		return out, nil
	})
}

func (d *Door) register() {
	d.registerToken()
	d.registerClient()
	d.registerEvents()
	d.registerUsers()
	d.registerNumbers()
	d.registerClients()
	d.registerPlaces()
	d.registerTrunks()
	d.registerCalls()
	d.registerBindings()
	d.registerSystems()
	d.registerOutside()
	d.registerImport()
	d.mux.HandleFunc("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		text, err := d.OpenAPI()
		if err != nil {
			writeProblem(w, d.problem(r.Context(), err))
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Write(text)
	})
}

// OpenAPI returns the description of the API (OpenAPI 3.1), indented.
func (d *Door) OpenAPI() ([]byte, error) {
	text, err := json.MarshalIndent(d.api.OpenAPI(), "", "  ")
	return append(text, '\n'), err
}
