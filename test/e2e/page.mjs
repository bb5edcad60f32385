// Drives real Chromium pages for the Go test beside it: one JSON command a line
// on standard input, one JSON answer a line on standard output. Every wait is
// bounded by `limit`.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [library, microphone] = process.argv.slice(2);
const { chromium } = await import(pathToFileURL(library).href);
const limit = 30_000; // ms

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-audio-capture=${microphone}`,
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});
const pages = {};

// countRings runs in the page from its first moment, so that a ring that was
// taken back again counts too.
const countRings = () => {
  window.rings = 0;
  let ringing = false;
  new MutationObserver(() => {
    const buttons = [...document.querySelectorAll("button")];
    const now = buttons.some((b) => /answer/i.test(b.getAttribute("aria-label") ?? b.textContent));
    if (now && !ringing) window.rings++;
    ringing = now;
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
};

// listen runs in the page. It returns the frequency, in Hz, that stands out
// most in what the caller says, once that is hz; else what it was at the limit,
// 0 for silence.
const listen = async (element, { hz, limit }) => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  const bins = new Float32Array(analyser.frequencyBinCount);
  let stream;
  let source;
  let heard = 0;
  try {
    await context.resume();
    for (const end = Date.now() + limit; Date.now() < end; ) {
      if (element.srcObject && element.srcObject !== stream) {
        source?.disconnect();
        stream = element.srcObject;
        source = context.createMediaStreamSource(stream);
        source.connect(analyser);
      }
      analyser.getFloatFrequencyData(bins);
      const at = bins.indexOf(Math.max(...bins));
      heard = bins[at] > -60 ? (at * context.sampleRate) / analyser.fftSize : 0; // dB
      if (Math.abs(heard - hz) < 15) break;
      await new Promise((again) => setTimeout(again, 50));
    }
    return heard;
  } finally {
    await context.close();
  }
};

const commands = {
  /** Opens the phone in a profile of its own. */
  async open({ desk, url }) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    await context.addInitScript(countRings);
    pages[desk] = await context.newPage();
    pages[desk].setDefaultTimeout(limit);
    await pages[desk].goto(url);
  },
  /** Imports a table of people that is refused, then one that is not. */
  async import({ desk, url, table, refuse, mended, then }) {
    const page = pages[desk];
    const csv = (text) => ({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await page.goto(url);
    await page.getByRole("button", { name: "Import" }).click();
    const field = page.getByLabel("Choose a CSV file");
    await field.setInputFiles(csv(table));
    await page.getByRole("button", { name: /^Add \d/ }).click();
    await page.getByText(refuse).first().waitFor();
    await field.setInputFiles(csv(mended));
    await page.getByRole("button", { name: /^Add \d/ }).click();
    await page.getByText("were added").waitFor();
    await page.getByRole("button", { name: "Close" }).last().click();
    await page.getByRole("button", { name: then, exact: true }).waitFor();
  },
  /** Adds a trunk with a rule that is wrong at first. */
  async trunk({ desk, url, name, gateway }) {
    const page = pages[desk];
    await page.goto(url);
    await page.getByRole("button", { name: "Add a trunk" }).first().click();
    await page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
    await page.getByRole("textbox", { name: "Gateway" }).fill(gateway);
    await page.getByText("More", { exact: true }).click();
    await page.getByRole("button", { name: "Add a rule" }).first().click();
    await page.getByLabel("Number (RE2)").fill("0([1-9].*");
    await page.getByLabel("Becomes").fill("+34$1");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/missing/).first().waitFor();
    await page.getByLabel("Number (RE2)").fill("0([1-9].*)");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("button", { name, exact: true }).waitFor();
  },
  /** Opens a page of others. */
  async visit({ desk, url }) {
    pages[desk] = await (await browser.newContext()).newPage();
    pages[desk].setDefaultTimeout(limit);
    await pages[desk].goto(url);
  },
  /** Registers the JsSIP in it with a digest credential; it answers what comes. */
  async register({ desk, server, user, password }) {
    await pages[desk].evaluate(
      ({ server, user, password }) =>
        new Promise((registered, refused) => {
          const host = new URL(server).host;
          const agent = new JsSIP.UA({
            sockets: [new JsSIP.WebSocketInterface(server)],
            uri: `sip:${user}@${host}`,
            password,
          });
          agent.on("registered", registered);
          agent.on("registrationFailed", (e) => refused(new Error(e.cause)));
          agent.on("newRTCSession", ({ session }) => {
            session.on("peerconnection", ({ peerconnection }) => {
              peerconnection.ontrack = (e) => {
                document.querySelector("audio").srcObject = e.streams[0];
              };
            });
            session.answer({ mediaConstraints: { audio: true, video: false } });
          });
          agent.start();
        }),
      { server, user, password },
    );
  },
  async signIn({ desk, name, password }) {
    const page = pages[desk];
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Password").first().fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Name or number").waitFor();
  },
  /** Signs in where a call follows the person, until a button is there. */
  async signInTo({ desk, name, password, until }) {
    const page = pages[desk];
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Password").first().fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("button", { name: until }).waitFor();
  },
  async reload({ desk, until }) {
    await pages[desk].reload();
    await pages[desk].getByRole("button", { name: until }).waitFor();
  },
  async signOut({ desk }) {
    await pages[desk].getByRole("button", { name: "Sign out" }).click();
  },
  async rung({ desk }) {
    await pages[desk].getByRole("button", { name: "Answer" }).waitFor();
  },
  async says({ desk, text }) {
    await pages[desk].getByText(text).waitFor();
  },
  /** Waits until no call is left at a desk. */
  async ended({ desk }) {
    await pages[desk].getByRole("button", { name: "Hang up" }).waitFor({ state: "detached" });
  },
  async connected({ desk }) {
    await pages[desk].locator('[data-testid="link"][data-link="up"]').waitFor();
  },
  async answer({ desk }) {
    await pages[desk].getByRole("button", { name: "Answer" }).click();
    await pages[desk].getByRole("button", { name: "Hang up" }).waitFor();
  },
  /** How often it has rung since it was opened. */
  async rings({ desk }) {
    return { rings: await pages[desk].evaluate(() => window.rings) };
  },
  async hears({ desk, hz }) {
    const heard = await pages[desk].getByTestId("far-voice").evaluate(listen, { hz, limit });
    if (Math.abs(heard - hz) >= 15) throw new Error(`heard ${heard} Hz, not ${hz}`);
  },
  async hangUp({ desk }) {
    await pages[desk].getByRole("button", { name: "Hang up" }).click();
    await pages[desk].getByLabel("Name or number").waitFor();
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, ...(await commands[command.do](command)) };
  } catch (fault) {
    answer = { ok: false, error: String(fault) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
