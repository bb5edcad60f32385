import type { components } from "./schema";

type Schemas = components["schemas"];

/** The words of the API, from its description. Durations are milliseconds, times RFC 3339. */
export type Binding = Schemas["Binding"];
export type Call = Schemas["Call"];
export type CallSettings = Schemas["CallSettings"];
export type CallRecord = Schemas["Record"];
export type Client = Schemas["Client"];
export type Contact = Schemas["Contact"];
export type Figures = Schemas["Figures"];
export type Gateway = Schemas["Gateway"];
export type GatewayStatus = Schemas["GatewayStatus"];
export type Here = Schemas["Here"];
export type Leg = Schemas["Leg"];
export type LegRecord = Schemas["LegRecord"];
export type Listing = Schemas["Number"];
export type Party = Schemas["Party"];
export type Place = Schemas["Place"];
export type RecentCall = Schemas["Recent"];
export type Settings = Schemas["Settings"];
export type Site = Schemas["Site"];
export type ThisClient = Schemas["ThisClient"];
export type Rewrite = Schemas["Rewrite"];
export type Source = Schemas["Source"];
export type Stay = Schemas["Stay"];
export type TraceEntry = Schemas["Trace"];
export type Trunk = Schemas["Trunk"];
export type TrunkStatus = Schemas["TrunkStatus"];
export type User = Schemas["User"];

/** News as the event stream tells it. */
export type News =
  | { event: "ready" }
  | ({ event: "client" } & Schemas["ClientEvent"])
  | ({ event: "bound" } & Schemas["BoundEvent"])
  | ({ event: "released" } & Schemas["ReleasedEvent"])
  | ({ event: "reach" } & Schemas["ReachEvent"])
  | ({ event: "call" } & Schemas["CallEvent"])
  | ({ event: "trunk" } & Schemas["TrunkEvent"]);
