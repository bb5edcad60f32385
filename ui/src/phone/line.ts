import JsSIP from "jssip";
import type { IncomingRTCSessionEvent, UA } from "jssip/lib/UA";
import type { Access } from "../shared/access";
import { backoff } from "../shared/backoff";
import type { Site } from "../shared/model";
import { Store } from "../shared/store";
import type { Devices } from "./devices";
import { instance } from "./instance";
import { LineCall } from "./linecall";

export type Link = "off" | "connecting" | "up" | "lost" | "refused";

/** A call that is over, as long as the page shows it. */
export interface Ended {
  number: string;
  name: string;
  cause: string;
  code: number;
  reason: string;
  outgoing: boolean;
}

export interface LineState {
  link: Link;
  calls: readonly LineCall[];
  /** The last call that failed or was missed, until it is dismissed. */
  ended?: Ended;
}

/** How many calls a page handles at once; a further one is told that it is busy here. */
const most = 2;
/** Renewed often enough that a dead connection is noticed within two minutes. */
const lifetime = 120;

/**
 * The SIP side of this client: registered as sip:<client>@<realm> as long as
 * it runs, whoever is signed in (RFC 7118, RFC 8898).
 */
export class Line {
  readonly store = new Store<LineState>({ link: "off", calls: [] });
  private ua?: UA;
  private stopped = false;
  private wasUp = false;
  private refusals = 0;

  constructor(
    private readonly access: Access,
    private readonly client: string,
    private readonly site: Site,
    private readonly devices: Devices,
  ) {}

  async start() {
    this.store.set({ link: "connecting" });
    const bearer = await this.bearer();
    if (this.stopped) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(`${scheme}://${location.host}${this.site.sip.path}`)],
      uri: this.address(this.client),
      authorization_jwt: bearer,
      instance_id: instance(this.access.who.thumbprint),
      register: true,
      register_expires: lifetime,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 15,
      user_agent: "Roamline page",
    });
    this.ua = ua;
    ua.on("registered", () => this.registered());
    ua.on("unregistered", () => {
      if (this.store.get().link === "up") this.notUp("connecting");
    });
    ua.on("disconnected", () => {
      this.notUp("lost");
      void this.freshen();
    });
    ua.on("registrationExpiring", () => void this.freshen().then(() => ua.register()));
    ua.on("registrationFailed", (e) => void this.refused(e.response?.status_code ?? 0));
    ua.on("newRTCSession", (e: { originator: string }) => {
      if (e.originator === "remote") this.incoming(e as unknown as IncomingRTCSessionEvent);
    });
    addEventListener("online", this.probe);
    ua.start();
  }

  stop() {
    this.stopped = true;
    removeEventListener("online", this.probe);
    this.ua?.stop();
    this.store.set({ link: "off" });
  }

  /** Registers again now; a connection that is dead without knowing is found so. */
  probe = () => {
    if (this.ua?.isConnected()) void this.freshen().then(() => this.ua?.register());
  };

  /** Calls a number. It opens the microphone first and throws if there is none. */
  async call(number: string, name = "") {
    const { ua } = this;
    if (!ua || this.store.get().calls.some((c) => c.active())) return;
    this.store.set({ ended: undefined });
    const stream = await this.devices.open();
    ua.set("authorization_jwt", await this.bearer());
    const session = ua.call(this.address(number), {
      mediaStream: stream,
      mediaConstraints: { audio: true, video: false },
      pcConfig: { iceServers: [] },
      rtcOfferConstraints: { offerToReceiveAudio: true },
    });
    this.add(new LineCall(session, "out", number, name, stream));
  }

  /** Answers a call that rings; one that is being talked on is held first. */
  async answer(call: LineCall) {
    if (call.store.get().phase !== "incoming") return;
    call.store.set({ phase: "connecting" });
    try {
      const stream = await this.devices.open();
      for (const other of this.store.get().calls) if (other !== call) other.hold(true);
      call.answer(stream);
    } catch (error) {
      call.store.set({ phase: "incoming" });
      throw error;
    }
  }

  dismiss() {
    this.store.set({ ended: undefined });
  }

  private address(user: string): string {
    return `sip:${encodeURIComponent(user).replaceAll("%2B", "+")}@${this.site.sip.realm}`;
  }

  private async bearer(): Promise<string> {
    return `Bearer ${(await this.access.current()).text}`;
  }

  private async freshen() {
    try {
      this.ua?.set("authorization_jwt", await this.bearer());
    } catch {
      // The next registration is refused then, and asks again.
    }
  }

  private registered() {
    this.refusals = 0;
    this.store.set({ link: "up" });
    // A new connection may be a new network: the voice looks for its way again.
    if (this.wasUp) for (const call of this.store.get().calls) call.restartVoice();
    this.wasUp = true;
  }

  private notUp(link: Link) {
    if (!this.stopped) this.store.set({ link });
  }

  private async refused(code: number) {
    if (this.stopped) return;
    this.notUp(code === 403 ? "refused" : "lost");
    if (code === 401 || code === 403) this.access.forget();
    await new Promise((go) => setTimeout(go, backoff(this.refusals++)));
    if (this.stopped || !this.ua?.isConnected()) return;
    await this.freshen();
    this.ua.register();
  }

  private incoming({ session, request }: IncomingRTCSessionEvent) {
    const follows = request.getHeader("Answer-Mode") === "Auto";
    if (this.store.get().calls.length >= most + (follows ? 1 : 0)) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      return;
    }
    const from = session.remote_identity;
    const number = from.uri.user ?? "";
    const call = new LineCall(session, "in", number, from.display_name ?? "", undefined);
    this.add(call);
    if (follows) void this.takeOver(call, /a=(inactive|sendonly)/.test(request.body ?? ""));
  }

  /**
   * A call that the person was in elsewhere came with her (RFC 5373): it goes on
   * here at once. Without a microphone it goes back to where it was.
   */
  private async takeOver(call: LineCall, held: boolean) {
    call.store.set({ phase: "connecting", held });
    try {
      call.answer(await this.devices.open());
    } catch {
      call.cannot();
    }
  }

  private add(call: LineCall) {
    this.store.set({ calls: [...this.store.get().calls, call], ended: undefined });
    call.whenOver((cause, code, reason) => {
      const calls = this.store.get().calls.filter((c) => c !== call);
      const quiet = cause === "" || (call.direction === "in" && reason === "elsewhere");
      this.store.set({
        calls,
        ended: quiet
          ? undefined
          : {
              number: call.number,
              name: call.name,
              cause,
              code,
              reason,
              outgoing: call.direction === "out",
            },
      });
    });
  }
}
