/** One event of a stream. */
export interface StreamEvent {
  event: string;
  data: string;
}

/**
 * Reads text/event-stream in pieces, as they arrive (WHATWG HTML section
 * 9.2.6). A line longer than limit characters ends the stream: nothing of ours
 * is that long.
 */
export class StreamReader {
  private rest = "";
  private event = "";
  private data: string[] = [];

  constructor(private readonly limit = 1 << 20) {}

  /** The events that end in this piece, in order. */
  read(piece: string): StreamEvent[] {
    const events: StreamEvent[] = [];
    this.rest += piece;
    // A lone CR at the end may be half of a CRLF: wait for the next piece.
    let match = /\r\n|\n|\r(?!$)/.exec(this.rest);
    while (match) {
      const line = this.rest.slice(0, match.index);
      this.rest = this.rest.slice(match.index + match[0].length);
      const done = this.line(line);
      if (done) events.push(done);
      match = /\r\n|\n|\r(?!$)/.exec(this.rest);
    }
    if (this.rest.length > this.limit) throw new Error("the event stream has a line without end");
    return events;
  }

  private line(line: string): StreamEvent | undefined {
    if (line === "") {
      const done = { event: this.event || "message", data: this.data.join("\n") };
      const empty = this.data.length === 0;
      this.event = "";
      this.data = [];
      return empty ? undefined : done;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    return undefined;
  }
}
