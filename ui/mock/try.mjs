// One call each way through the real page: the quickest proof that it works.
import { launch } from "./chromium.mjs";
import { makePeer } from "./peer.mjs";
import { MockServer } from "./server.mjs";

const browser = await launch();
const peerHost = new MockServer();
const peerPort = await peerHost.listen();
const peerPage = await browser.newPage();
await peerPage.goto(`http://localhost:${peerPort}/peer`);
const mock = new MockServer({ peer: await makePeer(peerPage) });
const port = await mock.listen();
const context = await browser.newContext({ permissions: ["microphone", "notifications"] });
const page = await context.newPage();
page.on(
  "console",
  (m) => ["error", "warning"].includes(m.type()) && console.log("page:", m.text()),
);
page.on("pageerror", (e) => console.log("page error:", e.message));
try {
  await page.goto(`http://desk1.localhost:${port}/`);
  await page.getByLabel("Name").fill("ana");
  await page.getByLabel("Password", { exact: true }).fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Your line is here").waitFor();
  console.log("signed in and registered");
  await page.getByText("Recent calls").waitFor();
  await mock.sip.call("c_here1", { number: "+34600123456", name: "Lucía Vidal" });
  await page.getByRole("button", { name: "Answer" }).waitFor();
  await page.waitForTimeout(900);
  await page.keyboard.press("Enter");
  await page.getByText("In a call").waitFor();
  await page.waitForTimeout(3500);
  console.log(
    "talking",
    await page.getByTestId("timer").textContent(),
    await page.getByTestId("quality").textContent(),
    "them:",
    await page.getByRole("meter", { name: "Them" }).getAttribute("aria-valuenow"),
  );
  await page.getByRole("button", { name: "Hold" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "Mute" }).click();
  await page.getByRole("button", { name: "Unmute" }).click();
  await page.getByRole("button", { name: "Keypad" }).click();
  await page.getByRole("button", { name: "5", exact: true }).click();
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByLabel("Name or number").fill("+34 600 12-34-56");
  await page.getByRole("button", { name: "Call", exact: true }).click();
  await page.getByText("In a call").waitFor();
  console.log("called out");
  mock.sip.hangUp([...mock.sip.dialogs.values()][0]);
  await page.getByLabel("Name or number").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  console.log("signed out");
} catch (e) {
  console.log(e.message.slice(0, 600));
  await page.screenshot({ path: "/tmp/w/ui-fail.png" });
  console.log(mock.sip.log.slice(-20).join("\n"));
}
await browser.close();
process.exit(0);
