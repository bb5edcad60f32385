// A Chromium with a pretend microphone, and what every picture is checked for.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export function launch({ microphone = true } = {}) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      ...(microphone ? ["--use-fake-ui-for-media-stream"] : []),
      "--use-fake-device-for-media-stream",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      // The mock's far end is no ICE-lite server: it needs addresses that it can reach.
      "--disable-features=WebRtcHideLocalIpsWithMdns",
    ],
  });
}

/** The accessibility faults of a page as it is now (WCAG 2.2 AA and good practice). */
export async function faults(page) {
  // Not by a script tag: the pages' own policy forbids that.
  await page.evaluate(axe);
  const result = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ["violations"] }),
  );
  return result.violations.flatMap((v) =>
    v.nodes.map(
      (n) =>
        `${v.id}: ${n.target.join(" ")}: ${n.failureSummary.split("\n").slice(1, 3).join(" ").trim()}`,
    ),
  );
}
