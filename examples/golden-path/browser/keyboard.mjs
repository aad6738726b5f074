// A user without a mouse.

import { answered, isLive, newName, password, play, story, troubles, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
/** How many elements are passed at most on the way to one. */
const STEPS_MAX = 30;

await play(async (browser) => {
  const { page } = await visit(browser);
  const go = async (to) => {
    for (let step = 0; step < STEPS_MAX; step++) {
      if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), to)) return step;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${to} can't be reached by Tab`);
  };
  await page.goto(`http://${address}/`);
  await page.waitForSelector('body[data-view="account"]');
  await go("#name");
  await page.keyboard.type(newName());
  await page.keyboard.press("Tab");
  await page.keyboard.type(password());
  await page.keyboard.press("Enter");
  await isLive(page);
  await go("#text");
  await page.keyboard.type("Is the service ready?");
  await page.keyboard.press("Enter");
  await answered(page, 1);
  await go("summary");
  const outline = await page.evaluate(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
  });
  await page.keyboard.press("Enter");
  const isOpen = await page.locator("details").first().evaluate((details) => details.open);
  return { outline, isOpen, ...(await story(page)), troubles: await troubles(page) };
});
