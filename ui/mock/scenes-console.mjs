// Every page of the console.
import { signIn } from "./scenes-phone.mjs";

async function administration({ page, url, mock, shot }) {
  await signIn(page, url);
  await mock.sip.call("c_here1", { number: "+34600123456", name: "Lucía Vidal" });
  await page.getByRole("button", { name: "Answer" }).click();
  await page.getByText("In a call").waitFor();
  const desk = await page.context().newPage();
  await desk.goto(`${url}/console`);
  await desk.getByText("Lucía Vidal").waitFor();
  await desk.getByText("Not working").waitFor();
  await shot("40-console-now", desk);
  await desk.getByRole("link", { name: "People" }).click();
  await desk.getByText("Ana Pereira").nth(1).waitFor();
  await shot("41-console-people", desk);
  await desk.getByRole("button", { name: "Add a person" }).click();
  await desk.getByLabel("Name").fill("Somebody Else");
  await desk.getByRole("textbox", { name: "Login" }).fill("ana");
  await desk.getByRole("button", { name: "Save" }).click();
  await desk.getByText("Somebody else has this login").waitFor();
  await shot("42-console-person", desk);
  await desk.getByRole("button", { name: "Cancel" }).click();
  await desk.getByRole("button", { name: "Ben Okafor" }).first().click();
  await desk.getByText("Forwards, do not disturb, waiting").click();
  await desk.getByLabel("When busy, forward to").fill("1003");
  await desk.waitForTimeout(300);
  await shot("42-console-person-calls", desk);
  await desk.getByRole("button", { name: "Save" }).click();
  await desk.getByRole("dialog").waitFor({ state: "detached" });
  await desk.getByRole("button", { name: "Ben Okafor" }).first().click();
  await desk.getByText("Set: busy").waitFor();
  await desk.getByRole("button", { name: "Cancel" }).click();
  await desk.getByRole("link", { name: "Numbers" }).click();
  await desk.getByRole("button", { name: "1001", exact: true }).waitFor();
  await shot("43-console-numbers", desk);
  await desk.getByRole("link", { name: "Clients" }).click();
  await desk.getByText("Old reception").waitFor();
  await shot("44-console-clients", desk);
  await desk.getByRole("button", { name: "Admit" }).click();
  await desk.getByText("Compare the key").waitFor();
  await desk.waitForTimeout(300);
  await shot("45-console-admit", desk);
  await desk.getByRole("button", { name: "Cancel" }).click();
  await desk.getByRole("button", { name: "Enrolment code" }).click();
  await desk.getByText("K7QF-2MXD").waitFor();
  await desk.waitForTimeout(300);
  await shot("46-console-code", desk);
  await desk.keyboard.press("Escape");
  await desk.getByRole("link", { name: "Trunks" }).click();
  await desk.getByText("connection refused").waitFor();
  await desk.getByRole("link", { name: "Calls" }).click();
  await desk.getByRole("link", { name: /Fay Moreau/ }).waitFor();
  await shot("49-console-calls", desk);
  await desk.getByRole("link", { name: /Lucía Vidal/ }).click();
  await desk
    .getByRole("button", { name: /INVITE/ })
    .first()
    .click();
  await desk.getByText("CSeq").waitFor();
  await desk.getByText("MOS").first().waitFor();
  await desk.getByRole("img", { name: /Carrier: Good. Ward 3, desk 1: Poor/ }).waitFor();
  await shot("50-console-call", desk);
  await desk.goBack();
  await desk.getByRole("link", { name: /Ben Okafor → Chidera/ }).click();
  await desk.getByText("The person was at no phone").waitFor();
  await shot("50-console-call-failed", desk);
}

async function stranger({ page, url, shot }) {
  await page.goto(`${url}/console`);
  await page.getByText("This is for administrators").waitFor();
  await shot("51-console-stranger");
}

/** Signs in and opens a page of the console. */
async function open(page, url, path) {
  await signIn(page, url);
  await page.goto(`${url}/console/${path}`);
}

const csv = (text) => ({ name: "people.csv", mimeType: "text/csv", buffer: Buffer.from(text) });

async function importing({ page, url, shot }) {
  await open(page, url, "people");
  await page.getByRole("button", { name: "Import" }).click();
  await page.getByText("Choose a CSV file").waitFor();
  await page.waitForTimeout(300);
  await shot("60-console-import");
  const [sample] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download a sample" }).click(),
  ]);
  if (sample.suggestedFilename() !== "people.csv") throw new Error("the sample has no name");
  const field = page.getByLabel("Choose a CSV file");
  await field.setInputFiles(csv("login,nmae\ngil,Gil\n"));
  await page.getByText("must name a column “name”").waitFor();
  if (await page.getByRole("button", { name: "Add", exact: true }).isEnabled())
    throw new Error("an unfit table can be sent");
  await shot("61-console-import-unfit");
  const people = (first) =>
    `login,name,number,password,pin\n${first}\nhana,Hana Sato,1012;+34910000012,a long secret,\n` +
    "ivo,Ivo Petrović,1013,,4711\njo,Jo,,,\n";
  await field.setInputFiles(csv(people("ben,Benedikt Groß,1002,,")));
  await page.getByText("4 people and 4 numbers in this table").waitFor();
  await shot("62-console-import-look");
  await page.getByRole("button", { name: "Add 4 people" }).click();
  await page.getByText("Line 2: login is somebody else’s").waitFor();
  await shot("63-console-import-refused");
  await field.setInputFiles(csv(people("gil,Benedikt Groß,1011,,")));
  await page.getByRole("button", { name: "Add 4 people" }).click();
  await page.getByText("4 people and 4 numbers were added").waitFor();
  await page.getByRole("button", { name: "Close" }).last().click();
  await page.getByRole("button", { name: "Hana Sato", exact: true }).waitFor();
}

async function trunk({ page, url, shot, mock }) {
  await open(page, url, "trunks");
  await page.getByText("Check its address, port and transport").waitFor();
  await shot("47-console-trunks");
  await page.getByRole("button", { name: "Old PBX", exact: true }).click();
  await page.getByRole("dialog").getByText("Not working").waitFor();
  await page.waitForTimeout(300);
  await shot("48-console-trunk-trouble");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Carrier", exact: true }).click();
  await page.getByText("Set: Calls and addresses").waitFor();
  await page.waitForTimeout(300);
  await shot("48-console-trunk");
  await page.getByText("More", { exact: true }).click();
  await page.getByRole("combobox", { name: "Encrypted voice" }).waitFor();
  await shot("48-console-trunk-more");
  // A trunk of its own: two gateways and a rule, wrong at first.
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Add a trunk" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("Second carrier");
  await page.getByRole("textbox", { name: "Gateway" }).fill("a.carrier.test");
  await page.getByRole("button", { name: "Another gateway" }).click();
  await page.getByRole("textbox", { name: "Gateway 2" }).fill("b.carrier.test");
  await page.getByText("More", { exact: true }).click();
  await page.getByRole("button", { name: "Add a rule" }).first().click();
  await page.getByLabel("Number (RE2)").fill("0([1-9].*");
  await page.getByLabel("Becomes").fill("+34$1");
  await page.getByText("More", { exact: true }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("a bracket is missing").first().waitFor();
  await shot("48-console-trunk-fault");
  await page.getByLabel("Number (RE2)").fill("0([1-9].*)");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Second carrier", exact: true }).waitFor();
  const made = mock.site.trunks.at(-1);
  if (made.gateways.map((g) => g.host + g.priority).join() !== "a.carrier.test0,b.carrier.test1")
    throw new Error(`the gateways are ${JSON.stringify(made.gateways)}`);
  if (made.in[0].with !== "+34$1") throw new Error("the rule was not sent");
}

async function stays({ page, url, shot }) {
  await open(page, url, "people");
  await page.getByRole("link", { name: "Sign-ins" }).click();
  await page.getByText("went on to another client").waitFor();
  await shot("52-console-stays");
  await page.getByRole("link", { name: "Ben Okafor" }).first().click();
  await page.getByText("somebody else signed in there").waitFor({ state: "detached" });
  if (!page.url().endsWith("/console/stays?user=u_ben")) throw new Error(page.url());
  await page.getByRole("combobox", { name: "Client" }).click();
  await page.getByRole("option", { name: "Laboratory" }).click();
  await page.getByText("No sign-in fits").waitFor();
  await shot("53-console-stays-none");
  await page.goBack();
  await page.getByText("went on to another client").waitFor();
}

export const consoleScenes = [[administration], [importing], [trunk], [stays], [stranger]];
