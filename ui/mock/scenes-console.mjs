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
  await shot("47-console-trunks", desk);
  await desk.getByRole("button", { name: "Carrier", exact: true }).click();
  await desk.getByText("Edit trunk").waitFor();
  await desk.waitForTimeout(300);
  await shot("48-console-trunk", desk);
  await desk.keyboard.press("Escape");
  await desk.getByRole("link", { name: "Calls" }).click();
  await desk.getByRole("link", { name: /Fay Moreau/ }).waitFor();
  await shot("49-console-calls", desk);
  await desk.getByRole("link", { name: /Lucía Vidal/ }).click();
  await desk
    .getByRole("button", { name: /INVITE/ })
    .first()
    .click();
  await desk.getByText("CSeq").waitFor();
  await shot("50-console-call", desk);
}

async function stranger({ page, url, shot }) {
  await page.goto(`${url}/console`);
  await page.getByText("This is for administrators").waitFor();
  await shot("51-console-stranger");
}

export const consoleScenes = [[administration], [stranger]];
