// The same user without the door: what the browser shows, and what a page that was open already gets.

import { picture, play, ready, visit } from "./stage.mjs";

const [address] = process.argv.slice(2);
await play(async (browser) => {
  const { page } = await visit(browser);
  await ready();
  const answer = await page.goto(`http://${address}/`);
  await picture(page, "bare-1-page");
  const seen = await page.evaluate(async () => {
    const closed = await new Promise((resolve) => {
      const socket = new WebSocket(`ws://${location.host}/ws`, ["golden-path.v1", "bearer.none"]);
      socket.onclose = ({ code, reason }) => resolve({ code, reason });
    });
    const asked = await fetch("/api/me").then((response) => response.status, String);
    return { closed, asked };
  });
  return { status: answer.status(), hasForm: await page.locator("#account-form").count(), ...seen };
});
