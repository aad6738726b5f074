// A page that is open while its instance leaves and a cold one comes.

import { answered, chat, isLive, picture, play, say, signUp, story, troubles, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
await play(async (browser) => {
  const { page } = await visit(browser);
  await page.goto(`http://${address}/`);
  await signUp(page);
  await chat(page, "Is the service ready?", 1);
  say({ at: "live" });
  await page.waitForSelector('body:not([data-link="live"])');
  await page.fill("#text", "Which threads do I have?");
  await page.press("#text", "Enter");
  const meanwhile = (await story(page)).pending;
  await page.waitForSelector('body[data-link="waiting"]');
  const waiting = await page.textContent("#link");
  await picture(page, "restart-1-waiting");
  await isLive(page);
  await answered(page, 2);
  await picture(page, "restart-2-back");
  return { meanwhile, waiting, ...(await story(page)), troubles: await troubles(page) };
});
