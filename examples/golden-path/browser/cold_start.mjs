// A user who comes in the first second of a long cold start, behind the door.

import { chat, picture, play, ready, sideways, signUp, story, troubles, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
await play(async (browser) => {
  const { page, complaints } = await visit(browser);
  await ready();
  const begun = performance.now();
  await page.goto(`http://${address}/`);
  const held = performance.now() - begun;
  await picture(page, "cold-start-1-page");
  await signUp(page);
  await picture(page, "cold-start-2-live");
  await chat(page, "Is the service ready?", 1);
  await picture(page, "cold-start-3-answer");
  return { held, ...(await story(page)), troubles: await troubles(page), sideways: await sideways(page), complaints };
});
