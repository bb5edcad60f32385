import JsSIP from "jssip";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession";
import type { Counts } from "../shared/quality";
import { Store } from "../shared/store";

export type Phase = "incoming" | "calling" | "ringing" | "connecting" | "talking";

export interface LineCallState {
  phase: Phase;
  /** Milliseconds since 1970. */
  since: number;
  answered?: number;
  muted: boolean;
  held: boolean;
  heldByFar: boolean;
  /** The voice is interrupted and being looked for. */
  broken: boolean;
  mine?: MediaStream;
  theirs?: MediaStream;
}

/** One call at this client: a SIP dialog with its voice. */
export class LineCall {
  readonly id: string;
  readonly store: Store<LineCallState>;
  private readonly peers = new WeakSet<RTCPeerConnection>();

  constructor(
    private readonly session: RTCSession,
    readonly direction: "in" | "out",
    readonly number: string,
    readonly name: string,
    mine: MediaStream | undefined,
  ) {
    this.id = session.id;
    this.store = new Store<LineCallState>({
      phase: direction === "in" ? "incoming" : "calling",
      since: Date.now(),
      muted: false,
      held: false,
      heldByFar: false,
      broken: false,
      mine,
    });
    this.listen();
  }

  /** The far end's name as shown: a name, else the number; empty if it is withheld. */
  get title(): string {
    return this.name || (/^anonymous$/i.test(this.number) ? "" : this.number);
  }

  /** Whether it is more than ringing here, and not on hold. */
  active(): boolean {
    const { phase, held } = this.store.get();
    return phase !== "incoming" && !held;
  }

  answer(stream: MediaStream) {
    this.store.set({ mine: stream });
    this.session.answer({
      mediaStream: stream,
      mediaConstraints: { audio: true, video: false },
      pcConfig: { iceServers: [] },
    });
  }

  decline() {
    this.end({ status_code: 603, reason_phrase: "Decline" });
  }

  /** There is no microphone to answer with. */
  cannot() {
    this.end({ status_code: 480, reason_phrase: "Temporarily Unavailable" });
  }

  hangUp() {
    this.end();
  }

  mute(on: boolean) {
    if (on) this.session.mute({ audio: true });
    else this.session.unmute({ audio: true });
    this.store.set({ muted: on });
  }

  hold(on: boolean) {
    if (this.store.get().phase !== "talking" || this.store.get().held === on) return;
    if (on ? this.session.hold() : this.session.unhold()) this.store.set({ held: on });
  }

  digit(d: string) {
    this.session.sendDTMF(d, {
      transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 as never,
      duration: 120,
      interToneGap: 70,
    });
  }

  /** Sends the voice of another microphone from now on. */
  async changeMicrophone(stream: MediaStream) {
    const track = stream.getAudioTracks()[0];
    const sender = this.session.connection?.getSenders().find((s) => s.track?.kind === "audio");
    if (!track || !sender) return;
    track.enabled = !this.store.get().muted;
    await sender.replaceTrack(track);
    const before = this.store.get().mine;
    this.store.set({ mine: stream });
    release(before);
  }

  /** Gathers addresses anew and tells them (RFC 8445 section 2.4). */
  restartVoice() {
    if (this.store.get().phase !== "talking" || !this.session.isReadyToReOffer()) return;
    this.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } });
  }

  /** Calls back once, when nothing is left of the call; cause is empty after an ordinary end. */
  whenOver(done: (cause: string, code: number, reason: string) => void) {
    this.session.on("ended", (e) => {
      this.clear();
      done(ordinary.has(e.cause) ? "" : e.cause, 0, why(e));
    });
    this.session.on("failed", (e) => {
      this.clear();
      const own = e.originator === ("local" as never) && ordinary.has(e.cause);
      done(own ? "" : e.cause, status(e), why(e));
    });
  }

  /** What the browser itself counts, for when the server tells no figures. */
  async counts(): Promise<Counts | undefined> {
    const report = await this.session.connection?.getStats();
    if (!report) return undefined;
    const c = {
      received: 0,
      sent: 0,
      lost: 0,
      farLost: 0,
      jitterMs: 0,
      farJitterMs: 0,
      roundTripMs: 0,
    };
    report.forEach((s: Record<string, number | string>) => {
      if (s.kind !== "audio") return;
      const n = (v: unknown) => (typeof v === "number" ? v : 0);
      if (s.type === "inbound-rtp") {
        c.received = n(s.packetsReceived);
        c.lost = n(s.packetsLost);
        c.jitterMs = n(s.jitter) * 1000;
      } else if (s.type === "outbound-rtp") c.sent = n(s.packetsSent);
      else if (s.type === "remote-inbound-rtp") {
        c.farLost = n(s.packetsLost);
        c.farJitterMs = n(s.jitter) * 1000;
        c.roundTripMs = n(s.roundTripTime) * 1000;
      }
    });
    return c;
  }

  private listen() {
    const { session, store } = this;
    session.on("progress", () => {
      if (store.get().phase === "calling") store.set({ phase: "ringing" });
    });
    session.on("accepted", () => store.set({ phase: "connecting" }));
    session.on("confirmed", () => store.set({ phase: "talking", answered: Date.now() }));
    session.on("hold", (e) => {
      if (e.originator === ("remote" as never)) store.set({ heldByFar: true });
      else store.set({ held: true });
    });
    session.on("unhold", (e) => {
      if (e.originator === ("remote" as never)) store.set({ heldByFar: false });
      else store.set({ held: false });
    });
    // The server is ICE-lite and learns our address from our checks: the first
    // candidate is reason enough to answer (RFC 8445 section 2.5).
    session.on("icecandidate", (e) => e.ready());
    session.on("peerconnection", (e) => this.watch(e.peerconnection));
    if (session.connection) this.watch(session.connection);
  }

  private watch(peer: RTCPeerConnection) {
    if (this.peers.has(peer)) return;
    this.peers.add(peer);
    peer.addEventListener("track", (e) => {
      this.store.set({ theirs: e.streams[0] ?? new MediaStream([e.track]) });
    });
    let restart: ReturnType<typeof setTimeout> | undefined;
    peer.addEventListener("iceconnectionstatechange", () => {
      const broken = peer.iceConnectionState === "disconnected";
      this.store.set({ broken });
      clearTimeout(restart);
      if (broken) restart = setTimeout(() => this.restartVoice(), 2000);
    });
  }

  private end(options?: { status_code: number; reason_phrase: string }) {
    // The far end may have been quicker: then there is nothing left to end.
    if (!this.session.isEnded()) this.session.terminate(options);
  }

  private clear() {
    release(this.store.get().mine);
    this.store.set({ mine: undefined, theirs: undefined });
  }
}

/** JsSIP's words for an end that nobody needs to be told about. */
const ordinary = new Set(["Terminated", "Canceled", "Rejected"]);

function release(stream: MediaStream | undefined) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function status(e: EndEvent): number {
  return (e.message as { status_code?: number } | null)?.status_code ?? 0;
}

/** Whether the far end said that somebody else took the call (RFC 3326: 200, "elsewhere"). */
function why(e: EndEvent): string {
  const header = (e.message as { getHeader?: (name: string) => string } | null)?.getHeader?.(
    "Reason",
  );
  return header && /cause=200|elsewhere/i.test(header) ? "elsewhere" : "";
}
