// The mock for a developer: builds nothing, serves dist/ on a port and calls
// the page when Enter is pressed. `npm run dev` beside it has live reloading:
// ROAMLINE_URL=http://127.0.0.1:8090 npm run dev
import { createInterface } from "node:readline";
import { launch } from "./chromium.mjs";
import { makePeer } from "./peer.mjs";
import { MockServer } from "./server.mjs";

const browser = await launch();
const far = new MockServer();
const page = await browser.newPage();
await page.goto(`http://localhost:${await far.listen()}/peer`);
const mock = new MockServer({ peer: await makePeer(page) });
const port = await mock.listen(Number(process.env.PORT ?? 8090));
console.log(`http://desk1.localhost:${port}  sign in: ana, correct horse (number 1001, PIN 2580)`);
console.log("Enter: somebody calls. Ctrl-C: end.");
createInterface({ input: process.stdin }).on("line", () => {
  for (const client of mock.sip.flows.keys())
    void mock.sip.call(client, { number: "+34600123456", name: "Lucía Vidal" });
});
for (const end of ["SIGINT", "SIGTERM"])
  process.on(end, async () => {
    await browser.close();
    process.exit(0);
  });
