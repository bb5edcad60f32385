// Writes a picture of every state of the pages to screenshots/, light and dark,
// wide and narrow, and checks each with axe. Exits 1 if axe finds anything.
// Arguments: names of scenes; without any, all are played.
import { mkdir, rm } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { faults, launch } from "./chromium.mjs";
import { makePeer } from "./peer.mjs";
import { consoleScenes } from "./scenes-console.mjs";
import { phoneScenes } from "./scenes-phone.mjs";
import { MockServer } from "./server.mjs";

const folder = new URL("../screenshots/", import.meta.url).pathname;
const looks = [
  { name: "wide-light", size: { width: 1280, height: 800 }, scheme: "light" },
  { name: "wide-dark", size: { width: 1280, height: 800 }, scheme: "dark" },
  { name: "narrow-light", size: { width: 390, height: 844 }, scheme: "light" },
  { name: "narrow-dark", size: { width: 390, height: 844 }, scheme: "dark" },
  { name: "tiny-light", size: { width: 320, height: 640 }, scheme: "light" },
];
const wanted = process.argv.slice(2);
let found = 0;

if (wanted.length === 0) await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await launch();
const peerHost = new MockServer();
const peerPage = await browser.newPage();
await peerPage.goto(`http://localhost:${await peerHost.listen()}/peer`);
const peer = await makePeer(peerPage);

/** Takes the picture of a state in every look. */
async function shot(page, name) {
  for (const look of looks) {
    await page.setViewportSize(look.size);
    await page.emulateMedia({ colorScheme: look.scheme, reducedMotion: "reduce" });
    await page.waitForFunction(
      (scheme) => document.documentElement.getAttribute("data-mantine-color-scheme") === scheme,
      look.scheme,
    );
    await page.waitForTimeout(250);
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wider > 0) report(`${name} ${look.name}: ${wider} px too wide`);
    for (const f of await faults(page)) report(`${name} ${look.name}: ${f}`);
    await page.screenshot({ path: `${folder}${name}-${look.name}.png`, fullPage: true });
  }
  await page.setViewportSize(looks[0].size);
}

function report(text) {
  found++;
  console.log(text);
}

/** A server and a page of its own for one run of scenes. */
async function scene(
  run,
  { admitAll = true, permissions = ["microphone"], host = "desk1.localhost", prepare } = {},
) {
  const mock = new MockServer({ peer, admitAll });
  prepare?.(mock);
  const port = await mock.listen();
  const context = await browser.newContext({ permissions, viewport: looks[0].size });
  const page = await context.newPage();
  page.on(
    "console",
    (m) => /Content Security|Refused/.test(m.text()) && report(`csp: ${m.text()}`),
  );
  page.on("pageerror", (e) => report(`page error: ${e.message}`));
  try {
    await run({
      mock,
      page,
      context,
      url: `http://${host}:${port}`,
      port,
      shot: (name, p = page) => shot(p, name),
    });
  } catch (e) {
    report(`${run.name}: ${e.message.slice(0, 500)}`);
    await page.screenshot({ path: `${folder}failed-${run.name}.png` }).catch(() => {});
  }
  await context.close();
  await mock.close();
}

/** What the phone needs before a person can sign in, gzipped: at most 250 kB. */
async function weigh({ page, url }) {
  const bodies = [];
  page.on("response", (r) => /\.(js|css)$/.test(r.url()) && bodies.push(r.body()));
  await page.goto(url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  const sizes = (await Promise.all(bodies)).map((b) => gzipSync(b).length);
  const sum = Math.round(sizes.reduce((a, b) => a + b, 0) / 1000);
  console.log(`the phone's first load: ${sum} kB gzipped`);
  if (sum > 250) report("that is over 250 kB");
}

const all = [[weigh], ...phoneScenes, ...consoleScenes];
for (const [run, options] of all)
  if (!wanted.length || wanted.some((w) => run.name === w)) await scene(run, options);
await browser.close();
console.log(found ? `${found} faults` : "no faults");
process.exit(found ? 1 : 0);
