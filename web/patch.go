package web

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

type changeInput[B any] struct {
	ID string `path:"id" maxLength:"64"`
	Matching
	Body B
}

type patchInput struct {
	ID string `path:"id" maxLength:"64"`
	Matching
	RawBody []byte `contentType:"application/json"`
}

// changeable registers PUT, which replaces a record, and PATCH, which replaces
// the fields that it names (RFC 7396) and is otherwise the same.
func changeable[B, O any](d *Door, op huma.Operation,
	current func(context.Context, string) (B, error),
	do func(context.Context, caller, *changeInput[B]) (*O, error),
) {
	what := op.OperationID
	op.Method, op.OperationID = http.MethodPut, "put-"+what
	handle(d, forAdministrator, op, do)

	schema := d.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[B](), true, what)
	op.Method, op.OperationID, op.Summary = http.MethodPatch, "patch-"+what, op.Summary+": only what is named"
	op.SkipValidateBody = true // merge does
	handle(d, forAdministrator, op, func(ctx context.Context, c caller, in *patchInput) (*O, error) {
		was, err := current(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		change := changeInput[B]{ID: in.ID, Matching: in.Matching}
		if err := d.merge(was, in.RawBody, schema, &change.Body); err != nil {
			return nil, err
		}
		return do(ctx, c, &change)
	})
	d.describePatch(base+op.Path, schema)
}

// describePatch says in the description what a PATCH may hold: the same as a
// PUT, with nothing required.
func (d *Door) describePatch(path string, full *huma.Schema) {
	whole := d.api.OpenAPI().Components.Schemas.SchemaFromRef(full.Ref)
	part := *whole
	part.Required = nil
	part.Properties = maps.Clone(whole.Properties)
	name := full.Ref[strings.LastIndex(full.Ref, "/")+1:] + "Part"
	d.api.OpenAPI().Components.Schemas.Map()[name] = &part
	d.api.OpenAPI().Paths[path].Patch.RequestBody = &huma.RequestBody{
		Required: true,
		Content:  map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Ref: "#/components/schemas/" + name}}},
	}
}

// mergeInto is MergePatch of RFC 7396 section 2, for objects.
func mergeInto(whole, part map[string]any) {
	for field, value := range part {
		inner, isObject := value.(map[string]any)
		was, wasObject := whole[field].(map[string]any)
		switch {
		case value == nil:
			delete(whole, field)
		case isObject && wasObject:
			mergeInto(was, inner)
		default:
			whole[field] = value
		}
	}
}

// merge applies a JSON merge patch (RFC 7396) to was, checks the result against
// its schema, and reads it into out.
func (d *Door) merge(was any, patch []byte, schema *huma.Schema, out any) error {
	text, err := json.Marshal(was)
	if err != nil {
		return err
	}
	var whole, part map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	if err := json.Unmarshal(patch, &part); err != nil || part == nil {
		return refuse(http.StatusBadRequest, "", "A JSON object with the fields to change is needed")
	}
	mergeInto(whole, part)
	var found huma.ValidateResult
	where := huma.NewPathBuffer([]byte("body"), 4)
	huma.Validate(d.api.OpenAPI().Components.Schemas, schema, where, huma.ModeWriteToServer, whole, &found)
	if len(found.Errors) > 0 {
		r := refuse(http.StatusUnprocessableEntity, "", "That can't be used")
		r.Detail = "validation failed"
		for _, err := range found.Errors {
			if e, ok := err.(*huma.ErrorDetail); ok {
				r.at(e.Location, e.Message)
			}
		}
		return r
	}
	if text, err = json.Marshal(whole); err != nil {
		return err
	}
	read := json.NewDecoder(bytes.NewReader(text))
	read.DisallowUnknownFields()
	return read.Decode(out)
}
