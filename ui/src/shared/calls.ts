import createClient, { type Client as Fetcher } from "openapi-fetch";
import { type Access, problem } from "./access";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

/** As many as one page of the console shows. */
const limit = 200;

/**
 * Every call of the API that the pages make, and nothing else. Each returns
 * what the server answered or throws a Problem.
 */
export class Api {
  private readonly to: Fetcher<paths>;

  constructor(readonly access: Access) {
    this.to = createClient<paths>({ baseUrl: location.origin, fetch: access.fetch });
  }

  here = () => done(this.to.GET("/api/v1/client"));
  enrol = (code: string) => done(this.to.POST("/api/v1/client/enrol", { body: { code } }));
  identify = (method: "password" | "pin", login: string, secret: string) =>
    done(this.to.POST("/api/v1/client/identifications", { body: { method, login, secret } }));
  signOut = () => done(this.to.DELETE("/api/v1/client/binding"));
  fetchCall = (id: string) =>
    done(this.to.POST("/api/v1/client/calls/{id}/fetch", { params: { path: { id } } }));
  recent = () => done(this.to.GET("/api/v1/client/calls", { params: { query: { limit: 30 } } }));
  contacts = (match: string) =>
    done(this.to.GET("/api/v1/client/contacts", { params: { query: { match } } }));
  settings = () => done(this.to.GET("/api/v1/client/settings"));
  settle = (rev: number, body: Schemas["CallSettings"]) =>
    done(
      this.to.PUT("/api/v1/client/settings", {
        params: { header: { "If-Match": `"${rev}"` } },
        body,
      }),
    );
  setUp = (body: Schemas["SetupInputBody"]) => done(this.to.POST("/api/v1/setup", { body }));

  users = (match?: string) =>
    done(this.to.GET("/api/v1/users", { params: { query: { match: match || undefined, limit } } }));
  createUser = (body: Schemas["NewUser"]) => done(this.to.POST("/api/v1/users", { body }));
  changeUser = (id: string, rev: number, body: Schemas["UserBodyPart"]) =>
    done(this.to.PATCH("/api/v1/users/{id}", { params: matching(id, rev), body }));
  removeUser = (id: string, rev: number) =>
    done(this.to.DELETE("/api/v1/users/{id}", { params: matching(id, rev) }));
  setPassword = (id: string, password: string) =>
    done(
      this.to.PUT("/api/v1/users/{id}/password", { params: { path: { id } }, body: { password } }),
    );
  /** Adds the people of a table, all or none; a refusal says which line is wrong. */
  importTable = (table: string) =>
    done(
      this.to.POST("/api/v1/import", {
        body: table,
        bodySerializer: (text: string) => text,
        headers: { "Content-Type": "text/csv" },
      }),
    );
  setPin = (id: string, pin: string) =>
    done(this.to.PUT("/api/v1/users/{id}/pin", { params: { path: { id } }, body: { pin } }));

  numbers = (match?: string) =>
    done(
      this.to.GET("/api/v1/numbers", { params: { query: { match: match || undefined, limit } } }),
    );
  addNumber = (number: string, user: string) =>
    done(this.to.POST("/api/v1/numbers", { body: { number, to: { kind: "user", id: user } } }));
  moveNumber = (id: string, rev: number, user: string) =>
    done(
      this.to.PATCH("/api/v1/numbers/{id}", {
        params: matching(id, rev),
        body: { to: { kind: "user", id: user } },
      }),
    );
  removeNumber = (id: string, rev: number) =>
    done(this.to.DELETE("/api/v1/numbers/{id}", { params: matching(id, rev) }));

  clients = (match?: string) =>
    done(
      this.to.GET("/api/v1/clients", { params: { query: { match: match || undefined, limit } } }),
    );
  createPhone = (body: Omit<Schemas["NewClient"], "kind">) =>
    done(this.to.POST("/api/v1/clients", { body: { ...body, kind: "phone" } }));
  changeClient = (id: string, rev: number, body: Schemas["ClientBodyPart"]) =>
    done(this.to.PATCH("/api/v1/clients/{id}", { params: matching(id, rev), body }));
  removeClient = (id: string, rev: number) =>
    done(this.to.DELETE("/api/v1/clients/{id}", { params: matching(id, rev) }));
  admit = (id: string, body: Schemas["AdmitInputBody"]) =>
    done(this.to.POST("/api/v1/clients/{id}/admit", { params: { path: { id } }, body }));
  revoke = (id: string) =>
    done(this.to.POST("/api/v1/clients/{id}/revoke", { params: { path: { id } } }));
  setDigest = (id: string, password: string) =>
    done(
      this.to.PUT("/api/v1/clients/{id}/digest", { params: { path: { id } }, body: { password } }),
    );
  put = (id: string, user: string) =>
    done(this.to.PUT("/api/v1/clients/{id}/binding", { params: { path: { id } }, body: { user } }));
  release = (id: string) =>
    done(this.to.DELETE("/api/v1/clients/{id}/binding", { params: { path: { id } } }));
  enrolmentCode = (body: Schemas["CodeInputBody"]) =>
    done(this.to.POST("/api/v1/enrolment-codes", { body }));

  places = () => done(this.to.GET("/api/v1/places", { params: { query: { limit } } }));
  addPlace = (name: string) => done(this.to.POST("/api/v1/places", { body: { name } }));

  trunks = () => done(this.to.GET("/api/v1/trunks", { params: { query: { limit } } }));
  createTrunk = (body: Schemas["NewTrunk"]) => done(this.to.POST("/api/v1/trunks", { body }));
  changeTrunk = (id: string, rev: number, body: Schemas["TrunkBodyPart"]) =>
    done(this.to.PATCH("/api/v1/trunks/{id}", { params: matching(id, rev), body }));
  removeTrunk = (id: string, rev: number) =>
    done(this.to.DELETE("/api/v1/trunks/{id}", { params: matching(id, rev) }));
  setTrunkPassword = (id: string, password: string) =>
    done(
      this.to.PUT("/api/v1/trunks/{id}/password", { params: { path: { id } }, body: { password } }),
    );

  stays = (query: { user?: string; client?: string; before?: string }) =>
    done(this.to.GET("/api/v1/stays", { params: { query: { ...query, limit: 100 } } }));

  end = (id: string) => done(this.to.DELETE("/api/v1/calls/{id}", { params: { path: { id } } }));
  story = (id: string) =>
    done(
      this.to.GET("/api/v1/calls/{id}/story", { params: { path: { id }, query: { sip: true } } }),
    );
  records = (query: { user?: string; before?: string }) =>
    done(this.to.GET("/api/v1/records", { params: { query: { ...query, limit: 100 } } }));
  record = (id: string) => done(this.to.GET("/api/v1/records/{id}", { params: { path: { id } } }));

  /** An open event stream, or a Problem. */
  async stream(signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.access.fetch(
      new Request(`${location.origin}/api/v1/client/events`, {
        headers: { Accept: "text/event-stream" },
        signal,
      }),
    );
    if (!response.ok || !response.body) throw problem(response);
    return response.body;
  }
}

/** A record as it was read: whoever changed it since wins, and we are told (RFC 9110 section 13.1.1). */
function matching(id: string, rev: number) {
  return { path: { id }, header: { "If-Match": `"${rev}"` } };
}

async function done<T>(
  asked: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok) throw problem(response, error);
  return data as T;
}
