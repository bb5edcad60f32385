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

// loudest returns the frequency, in Hz, that stands out most in what the page's
// caller says; 0 if nothing does.
const loudest = (page) =>
  page.getByTestId("far-voice").evaluate(async (element) => {
    if (!element.srcObject) return 0;
    const context = new AudioContext();
    try {
      const analyser = new AnalyserNode(context, { fftSize: 8192 });
      context.createMediaStreamSource(element.srcObject).connect(analyser);
      await context.resume();
      await new Promise((done) => setTimeout(done, 400)); // the window must fill: 8192 samples
      const bins = new Float32Array(analyser.frequencyBinCount);
      analyser.getFloatFrequencyData(bins);
      const at = bins.indexOf(Math.max(...bins));
      return bins[at] < -60 ? 0 : (at * context.sampleRate) / analyser.fftSize;
    } finally {
      await context.close();
    }
  });

const commands = {
  /** Opens the phone in a profile of its own. */
  async open({ desk, url }) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    pages[desk] = await context.newPage();
    pages[desk].setDefaultTimeout(limit);
    await pages[desk].goto(url);
  },
  async signIn({ desk, name, password }) {
    const page = pages[desk];
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Password").first().fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByLabel("Name or number").waitFor();
  },
  async connected({ desk }) {
    await pages[desk].locator('[data-testid="link"][data-link="up"]').waitFor();
  },
  async answer({ desk }) {
    await pages[desk].getByRole("button", { name: "Answer" }).click();
    await pages[desk].getByRole("button", { name: "Hang up" }).waitFor();
  },
  async ringing({ desk }) {
    return { yes: await pages[desk].getByRole("button", { name: "Answer" }).isVisible() };
  },
  async hears({ desk, hz }) {
    let heard = 0;
    for (const end = Date.now() + limit; Date.now() < end; ) {
      heard = await loudest(pages[desk]);
      if (Math.abs(heard - hz) < 15) return { heard };
    }
    throw new Error(`heard ${heard} Hz, not ${hz}`);
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
