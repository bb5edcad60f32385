// The demonstration's page: asks the demo for its state, shows it, places calls.
const $ = (id) => document.getElementById(id);
const pretty = (n) => n.replace(/^\+34(\d{3})(\d{3})(\d{3})$/, "+34 $1 $2 $3").replace(/^\+44(\d{2})(\d{4})(\d{4})$/, "+44 $1 $2 $3");
const names = new Map();

async function ask(method, path, body) {
  const res = await fetch(path, { method, headers: body && { "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const text = await res.text();
  const data = text ? JSON.parse(text) : {};
  if (!res.ok) throw new Error(data.title || "The demo did not understand");
  return data;
}

function say(text, wrong = false) {
  $("said").textContent = text;
  $("said").className = wrong ? "wrong" : "";
}

function row(template, list) {
  const li = $(template).content.firstElementChild.cloneNode(true);
  list.append(li);
  return li;
}

const put = (li, cls, text) => { const e = li.querySelector(cls); if (e && e.textContent !== text) e.textContent = text; };

async function call(person, button) {
  button.setAttribute("aria-busy", "true");
  try {
    await ask("POST", "api/call", { to: person.numbers[0] });
    say("");
    await refresh();
  } catch (e) {
    say(e.message, true);
  }
  button.removeAttribute("aria-busy");
}

async function copy(number, name) {
  try {
    await navigator.clipboard.writeText(number);
    say(`${name}: ${pretty(number)} copied`);
  } catch {
    say(`Dial ${number} by hand: this browser does not let the page copy`, true);
  }
}

function still(state) {
  const [one, two] = state.desks;
  $("desk1").href = one;
  $("desk2").href = two;
  $("console").href = state.console;
  const first = state.people[0];
  const boss = state.people.find((p) => p.administrator);
  $("who").textContent = first.login;
  $("word").textContent = first.password;
  $("boss").textContent = boss.login;
  $("bossword").textContent = boss.password;
  for (const p of state.people) {
    const li = row("person", $("persons"));
    for (const n of p.numbers) names.set(n, p.name);
    put(li, ".name", p.name);
    put(li, ".number", p.numbers.map(pretty).join(" · "));
    put(li, ".secret code", p.password);
    li.querySelector(".secret").firstChild.textContent = `signs in as ${p.login}, `;
    const button = li.querySelector("button");
    button.textContent = `Call ${p.name.split(" ")[0]}`;
    button.setAttribute("aria-label", `Call ${p.name} from a telephone`);
    button.onclick = () => call(p, button);
  }
  for (const l of state.lines) {
    names.set(l.number, l.name);
    const li = row("line", $("numbers"));
    put(li, ".name", l.name);
    put(li, ".what", l.what);
    put(li, ".number", pretty(l.number));
    const button = li.querySelector("button");
    button.setAttribute("aria-label", `Copy the number of ${l.name}`);
    button.onclick = () => copy(l.number, l.name);
  }
}

const words = { calling: "calling", ringing: "ringing", talking: "talking", ended: "over" };
const clock = (s) => `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
const why = { 404: "unknown number", 480: "nobody there", 486: "busy", 487: "given up", 603: "declined", 408: "no answer", 503: "not reachable" };
const rows = new Map();

function live(calls) {
  const shown = calls.filter((c, i) => c.state !== "ended" || i < 8);
  $("none").classList.toggle("hidden", shown.length > 0);
  for (const [id, li] of rows) {
    if (!shown.some((c) => c.id === id)) {
      li.remove();
      rows.delete(id);
    }
  }
  for (const c of [...shown].reverse()) {
    let li = rows.get(c.id);
    if (!li) {
      li = row("call", $("list"));
      $("list").prepend(li);
      rows.set(c.id, li);
      li.querySelector("button").onclick = () => ask("DELETE", `api/calls/${c.id}`).then(refresh, (e) => say(e.message, true));
    }
    const failed = c.state === "ended" && c.status !== 200;
    li.className = `${c.state}${failed ? " failed" : ""}`;
    const from = c.from.name || names.get(c.from.number) || pretty(c.from.number);
    const to = c.to.name || names.get(c.to.number) || pretty(c.to.number);
    put(li, ".name", `${from} to ${to}`);
    const state = failed ? why[c.status] || c.reason : c.state === "talking" && c.held ? "on hold" : words[c.state];
    const digits = c.digits ? `, pressed ${c.digits}` : "";
    put(li, ".number", `${c.incoming ? "from a desk" : "from outside"}, ${state}${digits}`);
    const spoke = c.state === "talking" || c.seconds > 0;
    put(li, ".figures", spoke ? `${clock(c.seconds)}  ${c.voice.codec}${c.voice.lost ? `, ${c.voice.lost} lost` : ""}` : "");
    li.querySelector(".meter i").style.transform = `scaleX(${Math.min(1, Math.sqrt(c.hearing) * 2)})`;
    li.querySelector("button").setAttribute("aria-label", `Hang up: ${from} to ${to}`);
  }
}

let lost = false;
async function refresh() {
  try {
    live((await ask("GET", "api/calls")).calls);
    if (lost) say("");
    lost = false;
  } catch {
    if (!lost) say("The demo does not answer. Is it still running?", true);
    lost = true;
  }
}

still(await ask("GET", "api/state"));
await refresh();
setInterval(() => document.hidden || refresh(), 400);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
