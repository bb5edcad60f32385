// Every state of the phone, in the order in which a person meets them.

/** Signs Ana in at the page and waits until her line is here. */
export async function signIn(page, url, path = "/") {
  await page.goto(`${url}/`);
  await page.getByLabel("Name").fill("ana");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Your line is here").waitFor();
  if (path !== "/") await page.goto(url + path);
}

const caller = { number: "+34600123456", name: "Lucía Vidal" };

async function waiting({ page, url, shot }) {
  await page.goto(url);
  await page.getByText("Waiting to be admitted").first().waitFor();
  await shot("01-waiting");
  await page.getByLabel("Enrolment code").fill("WRONG");
  await page.getByRole("button", { name: "Use code" }).click();
  await page.getByText("This code is not known").waitFor();
  await shot("02-waiting-wrong-code");
  await page.getByLabel("Enrolment code").fill("WARD-3");
  await page.getByRole("button", { name: "Use code" }).click();
  await page.getByRole("button", { name: "Sign in" }).waitFor();
}

async function setup({ page, url, shot }) {
  await page.goto(`${url}/setup#one-time-code`);
  await page.getByLabel("Name").fill("Érika Sandoval");
  if (page.url().includes("#")) throw new Error("the code stayed in the address");
  await shot("03-setup");
  await page.getByLabel("Password").fill("a long enough one");
  await page.getByRole("button", { name: "Start" }).click();
  await page.getByText("Your line is here").waitFor();
}

async function resting({ page, url, shot }) {
  await page.goto(url);
  await page.getByText("Connected").waitFor();
  await shot("04-resting");
  await page.getByLabel("Name").fill("ana");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("do not belong together").waitFor();
  await shot("05-resting-wrong");
  await page.getByLabel("Name").fill("slow");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Too many tries").waitFor();
  await shot("06-resting-slow");
  await page.getByRole("tab", { name: "My line" }).click();
  await shot("07-resting-pin");
  await page.getByRole("button", { name: "Emergency call" }).click();
  await page.getByRole("button", { name: "Call 112" }).waitFor();
  await page.waitForTimeout(300);
  await shot("08-emergency");
  await page.getByRole("button", { name: "Call 112" }).click();
  await page.getByText("In a call").waitFor();
  await shot("09-emergency-call");
}

async function idle({ page, url, mock, shot, context }) {
  await signIn(page, url);
  await page.getByText("Lucía").or(page.getByText("Missed")).first().waitFor();
  await shot("10-idle");
  await page.getByLabel("Name or number").fill("n");
  await page.getByRole("option").first().waitFor();
  await shot("11-idle-search");
  await page.getByLabel("Name or number").fill("zzz");
  await page.getByText("Nobody is called").waitFor();
  await shot("12-idle-nobody");
  await page.getByLabel("Name or number").fill("");
  await page.getByRole("button", { name: "Devices" }).click();
  await page.getByRole("meter").waitFor();
  await page.waitForTimeout(500);
  await shot("13-devices");
  await page.keyboard.press("Escape");
  const second = await context.newPage();
  await second.goto(url);
  await second.getByText("another tab").first().waitFor();
  await shot("14-other-tab", second);
  await second.close();
  mock.sip.cut(true);
  await page.getByText("Connection lost").first().waitFor();
  await shot("15-idle-lost");
  mock.sip.cut(false);
  await page.getByText("Your line is here").waitFor();
  const there = mock.site.clients.find((c) => c.id === "c_w3d1");
  mock.bind(mock.site.users[0], there, "pin");
  await page.getByText("line moved to").waitFor();
  await shot("16-moved");
}

/** What is done with calls to her: set in the sheet, seen and turned off on the idle screen. */
async function diverted({ page, url, shot }) {
  const open = async () => {
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("menuitem", { name: "Calls to you" }).click();
  };
  await signIn(page, url);
  await open();
  const sheet = page.getByRole("dialog", { name: "Calls to you" });
  await sheet.getByLabel("Forward every call to").fill("112");
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.getByText("an emergency number").first().waitFor();
  await page.waitForTimeout(300);
  await shot("52-calls-to-you");
  await sheet.getByLabel("Forward every call to").fill("1002");
  await sheet.getByLabel("When not answered").fill("+34600123456");
  await sheet.getByLabel("Do not disturb").check();
  await sheet.getByRole("button", { name: "Save" }).click();
  await sheet.waitFor({ state: "detached" });
  const off = page.getByRole("button", { name: "Turn off" });
  await page.getByText("All your calls go to 1002").waitFor();
  await shot("53-idle-forwarded");
  await off.click();
  await page.getByText("Do not disturb is on").waitFor();
  await shot("54-idle-undisturbed");
  await off.click();
  await page.getByText("What you do not answer goes to +34 600 123 456").waitFor();
  await off.click();
  await off.waitFor({ state: "detached" });
}

async function empty({ page, url, shot }) {
  await page.goto(url);
  await page.getByLabel("Name").fill("fay");
  await page.getByLabel("Password").fill("correct horse");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("No calls yet").waitFor();
  await shot("17-idle-empty");
}

async function blocked({ page, url, shot }) {
  await signIn(page, url);
  // Playwright's own looking counts as a gesture: the page meets a sound that stays off.
  await page.addInitScript(() => {
    Object.defineProperty(BaseAudioContext.prototype, "state", { value: "suspended" });
  });
  await page.reload();
  await page.getByText("Touch the page once").waitFor();
  await shot("18-sound-blocked");
}

async function ringing({ page, url, mock, shot }) {
  await signIn(page, url);
  await page.getByRole("button", { name: "Devices" }).click();
  await page.getByRole("meter").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const first = await mock.sip.call("c_here1", caller);
  await page.getByRole("button", { name: "Answer" }).waitFor();
  if (!(await page.title()).includes("Lucía")) throw new Error("the title does not say who calls");
  await page.waitForTimeout(900);
  await shot("20-ringing");
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByText("In a call").waitFor();
  await page.waitForTimeout(4000);
  await shot("21-call");
  await page.getByTestId("quality").click();
  await page.locator(".uplot").waitFor();
  mock.badness = 1;
  await page.waitForTimeout(9000);
  await shot("22-call-poor-graph");
  await page.getByTestId("quality").click();
  mock.badness = 0;
  await page.getByRole("button", { name: "Mute" }).click();
  await page.getByRole("button", { name: "Keypad" }).click();
  await page.keyboard.press("5");
  await page.getByRole("button", { name: "hash" }).click();
  await shot("23-call-muted-keypad");
  await page.getByRole("button", { name: "Keypad" }).click();
  await page.getByRole("button", { name: "Unmute" }).click();
  const second = await mock.sip.call("c_here1", {
    number: "1003",
    name: "Chidera Nwachukwu-Featherstonehaugh",
  });
  await page.getByRole("button", { name: "Hold and answer" }).waitFor();
  await shot("24-call-second");
  await page.getByRole("button", { name: "Hold and answer" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  await page.getByText("In a call").waitFor();
  await shot("25-call-two");
  mock.sip.hangUp(second);
  await page.getByText("On hold").waitFor();
  await shot("26-call-held");
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("In a call").waitFor();
  await page.waitForTimeout(1000);
  mock.sip.cut(true);
  await page.getByText("Your call goes on").waitFor();
  await shot("27-call-link-lost");
  mock.sip.cut(false);
  await page.getByText("Your call goes on").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByLabel("Name or number").waitFor();
  void first;
}

async function missed({ page, url, mock, shot }) {
  await signIn(page, url);
  const d = await mock.sip.call("c_here1", caller);
  await page.getByRole("button", { name: "Answer" }).waitFor();
  mock.sip.cancel(d);
  await page.getByText("Missed call").waitFor();
  await shot("28-missed");
}

async function outgoing({ page, url, shot, mock }) {
  await signIn(page, url);
  await page.getByLabel("Name or number").fill("1099");
  await page.keyboard.press("Enter");
  await page.getByText("Ringing").waitFor();
  await shot("30-calling");
  await page.getByRole("button", { name: "Hang up" }).click();
  await page.getByLabel("Name or number").fill("tel:486");
  await page.keyboard.press("Enter");
  await page.getByText("Busy").waitFor();
  await shot("31-busy");
  mock.down = true;
  mock.sip.cut(true);
  await page.reload().catch(() => {});
}

async function revoked({ page, url, mock, shot }) {
  await page.goto(url);
  await page.getByRole("button", { name: "Sign in" }).waitFor();
  mock.site.clients.at(-1).state = "revoked";
  await page.reload();
  await page.getByText("This phone is switched off").waitFor();
  await shot("32-revoked");
}

async function offline({ page, url, shot, context }) {
  await context.route("**/api/**", (r) => r.abort());
  await page.goto(url);
  await page.getByText("The server can't be reached").waitFor();
  await shot("33-offline");
}

async function insecure({ page, url, shot }) {
  await page.addInitScript(() =>
    Object.defineProperty(window, "isSecureContext", { value: false }),
  );
  await page.goto(url);
  await page.getByText("This page needs HTTPS").waitFor();
  await shot("34-insecure");
}

async function denied({ page, url, shot }) {
  // The pretend permission always says yes: the page meets a browser that says no.
  await page.addInitScript(() => {
    const no = () => Promise.reject(new DOMException("no", "NotAllowedError"));
    MediaDevices.prototype.getUserMedia = no;
    Permissions.prototype.query = () => Promise.resolve({ state: "denied" });
  });
  await signIn(page, url);
  await page.getByText("The microphone is blocked").waitFor();
  await shot("35-microphone-denied");
  await page.getByRole("button", { name: "Try your devices" }).click();
  await page.getByRole("dialog").getByText("The microphone is blocked").waitFor();
  await page.waitForTimeout(300);
  await shot("36-devices-denied");
}

async function absent({ page, url, shot }) {
  await page.addInitScript(() => {
    MediaDevices.prototype.enumerateDevices = () => Promise.resolve([]);
    MediaDevices.prototype.getUserMedia = () =>
      Promise.reject(new DOMException("none", "NotFoundError"));
  });
  await signIn(page, url);
  await page.getByText("No microphone found").waitFor();
  await shot("37-microphone-absent");
}

/** Every key of the list does what the list says. */
async function keys({ page, url, mock, shot }) {
  const press = (key) => page.keyboard.press(key);
  const pressed = (name) => page.locator(`.act[data-on]`, { hasText: name }).waitFor();
  await signIn(page, url);
  await page.locator("body").click({ position: { x: 4, y: 400 } });
  await press("?");
  await page.getByRole("dialog", { name: "Keys" }).getByText("Hang up").waitFor();
  await page.waitForTimeout(300);
  await shot("19-keys");
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await press("Control+,");
  await page.getByRole("dialog", { name: "Devices" }).waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  const field = page.getByLabel("Name or number");
  await page.locator("body").click({ position: { x: 4, y: 400 } });
  await page.keyboard.type("10");
  await page.waitForFunction(() => document.activeElement?.value === "10");
  await press("Escape");
  if ((await field.inputValue()) !== "") throw new Error("Escape does not clear the field");
  await press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator("body").click({ position: { x: 4, y: 400 } });
  await press("/");
  await page.keyboard.type("n");
  await page.getByRole("option").nth(1).waitFor();
  await press("ArrowDown");
  await page.locator('[role="option"][aria-selected="true"]').nth(0).waitFor();
  await field.fill("1099");
  await press("Enter");
  await page.getByText("Ringing").waitFor();
  await press("Shift+X");
  await field.waitFor();
  await press("/");
  await press("Enter");
  if ((await field.inputValue()) !== "1099") throw new Error("Enter does not redial");
  await press("Escape");
  // Ringing: declined by Escape, answered by Enter, once the page has settled.
  await mock.sip.call("c_here1", caller);
  await page.getByRole("button", { name: "Decline" }).waitFor();
  await page.waitForTimeout(900);
  await press("Escape");
  await field.waitFor();
  await mock.sip.call("c_here1", caller);
  await page.getByRole("button", { name: "Answer" }).waitFor();
  await page.waitForTimeout(900);
  await press("Enter");
  await page.getByText("In a call").waitFor();
  await press("m");
  await pressed("Unmute");
  await press("m");
  await press("h");
  await pressed("Resume");
  // The far end must have agreed to the one before the other can be asked for.
  await page.waitForTimeout(500);
  await press("h");
  await page.getByRole("button", { name: "Hold" }).waitFor();
  await press("v");
  await page.getByRole("figure").waitFor();
  await press("v");
  await press("k");
  await press("5");
  await page.locator("output.sent", { hasText: "5" }).waitFor();
  await press("k");
  const volume = page.getByRole("slider");
  const before = Number(await volume.getAttribute("aria-valuenow"));
  await press("-");
  await page.waitForFunction(
    (was) => Number(document.querySelector("[role=slider]").ariaValueNow) < was,
    before,
  );
  await press("+");
  const second = { number: "1003", name: "Chidera Nwachukwu-Featherstonehaugh" };
  await mock.sip.call("c_here1", second);
  await page.getByRole("button", { name: "Hold and answer" }).waitFor();
  await press("Escape");
  await page.getByRole("button", { name: "Hold and answer" }).waitFor({ state: "detached" });
  await mock.sip.call("c_here1", second);
  await page.getByRole("button", { name: "Hold and answer" }).waitFor();
  await press("a");
  await page.getByRole("heading", { name: /Chidera/ }).waitFor();
  await page.getByText("In a call").waitFor();
  await press("s");
  await page.getByRole("heading", { name: /Lucía/ }).waitFor();
}

export const phoneScenes = [
  [keys],
  [waiting, { admitAll: false }],
  [setup, { admitAll: false }],
  [resting],
  [idle],
  [diverted],
  [empty],
  [blocked],
  [ringing],
  [missed],
  [outgoing],
  [revoked],
  [offline],
  [insecure],
  [denied, { permissions: [] }],
  [absent, { permissions: [] }],
];
