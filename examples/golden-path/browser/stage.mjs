// Where the plays of the browser take place: one browser for each, its users and its pictures.
//
// Owns how a play ends: its last line on stdout is what it saw, as JSON. It judges nothing; the test that began it does.

import { once } from "node:events";

import { chromium } from "playwright-core";

/** How long a play waits for what a page is to show, in milliseconds: a cold start is part of it. */
const SHOWN_WITHIN = 30_000;
/** The sizes that are looked at. */
export const DESK = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };
/** A user's password; no user has another. */
const PASSWORD = "canary-password-9f2c";

/** Plays in a browser of its own and says what was seen. */
export async function play(act) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    // A browser that asks nobody but the service, and that runs as root.
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update",
    ],
  });
  try {
    say(await act(browser));
  } finally {
    await browser.close();
  }
}

/** Tells the test how far the play is. */
export const say = (seen) => process.stdout.write(`${JSON.stringify(seen)}\n`);

/** Tells the test that the browser is there, and waits for its word: what follows is to be timed. */
export async function ready() {
  say({ at: "ready" });
  await once(process.stdin, "data");
  process.stdin.destroy();
}

/** A window of somebody whom the service has never seen. */
export async function visit(browser, options = {}) {
  const context = await browser.newContext({ viewport: DESK, reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(SHOWN_WITHIN);
  const page = await context.newPage();
  return { context, page, complaints: complaints(page) };
}

/** What the page's console complains of, from now on. */
export function complaints(page) {
  const told = [];
  page.on("console", (line) => { if (["error", "warning"].includes(line.type())) told.push(line.text()); });
  page.on("pageerror", (error) => told.push(String(error)));
  return told;
}

/** Fills in the form of the account and waits for the chat. */
export async function signUp(page, name = newName()) {
  await page.fill("#name", name);
  await page.fill("#password", PASSWORD);
  await page.click("#account-submit");
  await isLive(page);
  return name;
}

export const password = () => PASSWORD;
export const newName = () => `user-${Math.random().toString(36).slice(2, 10)}`;
export const isLive = (page) => page.waitForSelector('body[data-view="chat"][data-link="live"]');

/** Says something in the open thread and waits until so many answers are whole. */
export async function chat(page, text, answers) {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
  await answered(page, answers);
}

export const answered = (page, answers) =>
  page.waitForFunction((wanted) => document.querySelectorAll(".run[data-outcome]").length >= wanted, answers);

/** What a person sees of the open thread. */
export const story = (page) => page.evaluate(() => ({
  said: [...document.querySelectorAll(".said-user .bubble")].map((said) => said.textContent),
  pending: document.querySelectorAll(".said-user.pending").length,
  runs: [...document.querySelectorAll(".run")].map((run) => ({
    kinds: [...run.querySelectorAll("[data-event]")].flatMap(({ dataset }) => [dataset.event, dataset.done ?? []].flat()),
    words: run.querySelector(".words").textContent,
    outcome: run.dataset.outcome ?? null,
  })),
}));

/** Each error that a person can see. */
export const troubles = (page) => page.evaluate(() =>
  [...document.querySelectorAll(".trouble, .field-trouble, .note.bad, [data-state=bad]")]
    .filter((one) => one.checkVisibility()).map((one) => one.textContent));

/** How far the page can be scrolled sideways, in pixels. */
export const sideways = (page) => page.evaluate(() => {
  const root = document.scrollingElement;
  return Math.max(0, root.scrollWidth - root.clientWidth);
});

/** A picture for whoever wants to see what the play saw. */
export async function picture(page, name) {
  const folder = process.env.PICTURES;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png` });
}
