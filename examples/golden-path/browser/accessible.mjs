// Both views in each look and size, as axe-core judges them.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { chat, DESK, PHONE, picture, play, sideways, signUp, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What is wrong for some people, seriously. */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  const serious = violations.filter(({ impact }) => ["serious", "critical"].includes(impact));
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(", ")}`);
}

await play(async (browser) => {
  const seen = {};
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, viewport] of [["desk", DESK], ["phone", PHONE]]) {
      const { context, page } = await visit(browser, { viewport, colorScheme });
      const look = async (name) => {
        await picture(page, `${size}-${colorScheme}-${name}`);
        seen[`${size} ${colorScheme} ${name}`] = { faults: await faults(page), sideways: await sideways(page) };
      };
      await page.goto(`http://${address}/`);
      await page.waitForSelector('body[data-view="account"]');
      await look("sign-up");
      await page.fill("#name", "A!");
      await page.click("#account-submit");
      await look("mistakes");
      await signUp(page);
      await chat(page, "What can you do?", 1);
      await page.locator("summary").first().click();
      await look("chat");
      await context.close();
    }
  }
  return { seen };
});
