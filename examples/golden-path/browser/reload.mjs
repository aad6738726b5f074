// A user who reloads in the middle of a run, and has two windows.

import { answered, chat, isLive, play, signUp, story, troubles, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
await play(async (browser) => {
  const { context, page } = await visit(browser);
  await page.goto(`http://${address}/`);
  await signUp(page);
  await chat(page, "Which threads do I have?", 1);
  const second = await context.newPage();
  await second.goto(`http://${address}/`);
  await isLive(second);
  await answered(second, 1);
  await page.fill("#text", "Is the service ready?");
  await page.press("#text", "Enter");
  await page.waitForSelector('.run:nth-of-type(4) [data-event="agent_thinking"]');
  await page.reload();
  await isLive(page);
  await Promise.all([answered(page, 2), answered(second, 2)]);
  // Both want a token at the same moment, and there is one cookie.
  await Promise.all([page.reload(), second.reload()]);
  await Promise.all([isLive(page), isLive(second)]);
  await Promise.all([answered(page, 2), answered(second, 2)]);
  const windows = [await story(page), await story(second)];
  return { windows, troubles: [...(await troubles(page)), ...(await troubles(second))] };
});
