// Who is signed in, and what is asked over HTTP.
//
// Owns the access token, in memory alone; the refresh token is a cookie that no script sees. Must never store either.

/** Set where a log-in is kept by cookie: without it a fresh visitor would begin with a refused request. */
const KEPT = "golden-path.kept";
/** How long a request may take: the door holds it through a start. Milliseconds. */
const ASK_WITHIN = 120_000;
/** After how long a request counts as held, in milliseconds. */
const HELD_AFTER = 1000;

/** Why a request was not served. `status` is 0 where there was no answer. */
export class Refused extends Error {
  constructor(status, detail, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

let access = null;
let renewAt = 0;
let renewing = null;
/** What is told how long a request has been held: seconds, or null once it is over. */
let onHeld = () => {};

export const onHold = (tell) => { onHeld = tell; };
export const isKept = () => localStorage.getItem(KEPT) === "yes";
export const isSignedIn = () => access !== null;
/** How long until the token should be renewed, in milliseconds. */
export const renewIn = () => Math.max(0, renewAt - performance.now());

/** Signs up or logs in: `way` is the one or the other. */
export async function enter(way, name, password) {
  take(await ask("POST", `/api/${way}`, { name, password, keep: "cookie" }, false));
}

/** A token that lasts a while, renewed if need be. Throws `Refused` with 401 where the session is over. */
export async function token() {
  if (access === null || renewIn() === 0) await renew();
  return access;
}

/** A new token by the cookie. One at a time over all tabs: a cookie that is shown twice ends the session. */
export function renew() {
  renewing ??= alone(async () => take(await ask("POST", "/api/refresh", {}, false)))
    .catch((error) => {
      if (error.status === 401) forget();
      throw error;
    })
    .finally(() => { renewing = null; });
  return renewing;
}

const alone = (work) => navigator.locks ? navigator.locks.request("golden-path.renew", work) : work();

export async function leave() {
  try {
    await call("POST", "/api/logout");
  } finally {
    forget();
  }
}

/** A request of a user who is signed in. */
export async function call(method, path, body) {
  try {
    return await ask(method, path, body, await token());
  } catch (error) {
    if (error.status !== 401) throw error;
    await renew();
    return ask(method, path, body, access);
  }
}

function take({ access: given, until_ms }) {
  access = given;
  renewAt = performance.now() + lifetime(given, until_ms) * 0.75;
  localStorage.setItem(KEPT, "yes");
}

function forget() {
  access = null;
  localStorage.removeItem(KEPT);
}

/** How long a token lasts from its making, by its own words: this machine's clock may be wrong. */
function lifetime(given, until_ms) {
  try {
    const claims = JSON.parse(atob(given.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    const lasts = (claims.exp - claims.iat) * 1000;
    if (lasts > 0) return lasts;
  } catch { /* not a token that can be read here: then the clock has to do */ }
  return Math.max(5000, until_ms - Date.now());
}

async function ask(method, path, body, bearer) {
  const begun = performance.now();
  const clock = setInterval(() => {
    const held = performance.now() - begun;
    if (held >= HELD_AFTER) onHeld(Math.floor(held / 1000));
  }, 500);
  try {
    return await read(await fetch(path, {
      method,
      headers: { ...(body && { "content-type": "application/json" }), ...(bearer && { authorization: `Bearer ${bearer}` }) },
      body: body && JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(ASK_WITHIN),
    }));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw new Refused(0, "The service can't be reached. Is this device online?");
  } finally {
    clearInterval(clock);
    onHeld(null);
  }
}

async function read(response) {
  if (response.status === 204) return null;
  const body = await response.json().catch(() => null);
  if (response.ok && body) return body;
  const wait = Number.parseInt(response.headers.get("retry-after"), 10);
  const detail = typeof body?.detail === "string" ? body.detail : `The service answered ${response.status}.`;
  throw new Refused(response.status, detail, Number.isFinite(wait) ? wait : 0);
}
