// The page: which view is shown, which thread, and what waits to be sent.
//
// Owns the state between account, link and story. Must never lose a message that a user has sent.

import * as account from "./account.js";
import { Link } from "./link.js";
import { Story } from "./story.js";

const at = (id) => document.getElementById(id);
/** Messages that are not stored yet, over a reload. */
const OUTBOX = "golden-path.outbox";
/** What a name is made of, as the service has it. */
const NAME = /^[a-z0-9._@-]{3,64}$/;
const PAGE = 500;

const chat = {
  threads: [],
  /** The thread on the screen; null before its first message. */
  open: null,
  outbox: readOutbox(),
  isMakingThread: false,
  /** Numbers of messages that went over this socket already. */
  sent: new Set(),
};
let way = "signup";

const story = new Story(at("story"), {
  cancel: (run) => { if (!link.send({ type: "cancel", run })) tell("Not connected: can't stop it now."); },
  again: (message) => { delete message.refused; keepOutbox(); story.waiting(message); flush(); },
  drop: (message) => { chat.outbox = chat.outbox.filter((one) => one !== message); keepOutbox(); showEmpty(); },
  tell,
});
const link = new Link({ state: showLink, hello: greeted, event: heard, refused, over: signedOut });

/** Says something to who listens instead of looking. */
function tell(text) {
  at("told").append(Object.assign(document.createElement("span"), { textContent: `${text} ` }));
  while (at("told").childElementCount > 20) at("told").firstChild.remove();
}

/* Views. */

function view(name) {
  document.body.dataset.view = name;
  openMenu(false);
}

function showLink(state, text, seconds) {
  document.body.dataset.link = state;
  if (at("link-text").textContent !== text) at("link-text").textContent = text;
  at("link-clock").textContent = seconds === null ? "" : state === "refused" ? `in ${seconds} s` : `(${seconds} s)`;
  at("again").hidden = state !== "stopped";
}

/** A request is held: said where the user looks. */
account.onHold((seconds) => {
  const text = seconds === null ? "" : `Waiting for the service (${seconds} s)`;
  if (document.body.dataset.view === "loading") at("loading-text").textContent = text || "One moment.";
  const submit = at("account-submit");
  if (submit.disabled) submit.textContent = text || submit.dataset.busy;
});

/* The account. */

function choose(chosen) {
  way = chosen;
  const isNew = way === "signup";
  at("account-title").textContent = isNew ? "Create your account" : "Log in";
  at("account-submit").textContent = isNew ? "Create account" : "Log in";
  at("account-submit").dataset.busy = isNew ? "Creating your account" : "Logging in";
  at("account-other-text").textContent = isNew ? "You have one already?" : "You have none yet?";
  at("account-other").textContent = isNew ? "Log in" : "Create an account";
  at("password").autocomplete = isNew ? "new-password" : "current-password";
  trouble("");
  for (const field of ["name", "password"]) fieldTrouble(field, "");
}

function trouble(text) {
  at("account-trouble").textContent = text;
  at("account-trouble").hidden = !text;
}

function fieldTrouble(field, text) {
  at(field).setAttribute("aria-invalid", String(Boolean(text)));
  at(`${field}-trouble`).textContent = text;
  at(`${field}-trouble`).hidden = !text;
}

/** What is wrong with a name or a password, before anybody is asked. */
function mistakes(name, password) {
  const length = [...password].length;
  return {
    name: NAME.test(name) ? "" : "A name has 3 to 64 of the characters a–z, 0–9 and . - _ @",
    password: length >= 8 && length <= 128 ? "" : `A password has 8 to 128 characters; this one has ${length}.`,
  };
}

async function enter(submitted) {
  submitted.preventDefault();
  const submit = at("account-submit");
  if (submit.disabled) return;
  const name = at("name").value.trim().toLowerCase(), password = at("password").value;
  const wrong = mistakes(name, password);
  for (const field of ["name", "password"]) fieldTrouble(field, wrong[field]);
  trouble("");
  if (wrong.name || wrong.password) return at(wrong.name ? "name" : "password").focus();
  submit.disabled = true;
  submit.textContent = submit.dataset.busy;
  try {
    await account.enter(way, name, password);
    at("account-form").reset();
    signedIn();
  } catch (error) {
    const when = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : "";
    trouble(`${sentence(error.message)}${when}`);
    at(error.status === 409 || error.status === 401 ? "name" : "account-submit").focus();
  } finally {
    submit.disabled = false;
    submit.textContent = way === "signup" ? "Create account" : "Log in";
  }
}

function sentence(text) {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function signedIn() {
  view("chat");
  openThread(null);
  at("text").focus();
  link.connect();
}

/** `isOurs` where the user asked for it: then there is nothing to explain. */
function signedOut(isOurs = false) {
  chat.outbox = [];
  chat.threads = [];
  keepOutbox();
  story.clear();
  view("account");
  choose("login");
  if (!isOurs) trouble("Your session has ended. Please log in again.");
  showLink("signed-out", "Signed out", null);
  at("name").focus();
}

async function leave() {
  link.close();
  await account.leave().catch(() => {});
  signedOut(true);
}

/* Threads. */

async function greeted() {
  chat.sent.clear();
  try {
    const { threads } = await account.call("GET", "/api/threads");
    const isFirst = chat.threads.length === 0;
    chat.threads = threads;
    showThreads();
    if (isFirst && chat.open === null && threads.length > 0 && story.isEmpty) openThread(threads[0].id);
    else if (chat.open) await readThread(chat.open);
  } catch (error) {
    tell(error.message);
  }
  flush();
}

function showThreads() {
  at("thread-list").replaceChildren(...chat.threads.map((thread) => {
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.textContent = thread.title;
    if (thread.id === chat.open) button.setAttribute("aria-current", "true");
    button.onclick = () => { openThread(thread.id); openMenu(false); at("text").focus(); };
    item.append(button);
    return item;
  }));
  at("chat-title").textContent = chat.threads.find(({ id }) => id === chat.open)?.title ?? "New conversation";
}

function openThread(id) {
  chat.open = id;
  story.clear();
  showThreads();
  if (id) readThread(id).catch((error) => tell(error.message));
  else showWaiting();
}

/** All events of a thread. Those that come by the socket meanwhile are kept until the older ones are there. */
async function readThread(id) {
  const reading = { thread: id, came: [] };
  chat.reading = reading;
  try {
    let after = 0, more = true;
    while (more && chat.reading === reading) {
      const page = await account.call("GET", `/api/threads/${id}/events?after=${after}&limit=${PAGE}`);
      if (chat.reading !== reading) return;
      keepingPlace(() => page.events.forEach((event) => show(event, false)));
      after = page.events.at(-1)?.id ?? after;
      more = page.more && page.events.length > 0;
    }
  } finally {
    if (chat.reading === reading) {
      chat.reading = null;
      keepingPlace(() => reading.came.forEach((event) => show(event, true)));
      showWaiting();
    }
  }
}

function heard(event) {
  if (event.type === "user_message") acknowledge(event.message);
  if (event.thread !== chat.open) return;
  if (chat.reading?.thread === event.thread) chat.reading.came.push(event);
  else keepingPlace(() => show(event, true));
}

function show(event, isNew) {
  if (event.type === "user_message") acknowledge(event.message);
  story.event(event, isNew);
  showEmpty();
}

function showEmpty() {
  at("empty").hidden = !story.isEmpty || chat.reading;
}

/** Who reads at the end stays at the end; who has scrolled up stays there. */
function keepingPlace(change) {
  const scroll = at("scroll");
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  change();
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight;
}

/* Sending. */

function readOutbox() {
  try { return JSON.parse(sessionStorage.getItem(OUTBOX)) ?? []; } catch { return []; }
}

function keepOutbox() {
  sessionStorage.setItem(OUTBOX, JSON.stringify(chat.outbox));
}

function showWaiting() {
  for (const message of chat.outbox) if (message.thread === chat.open) story.waiting(message);
  showEmpty();
  at("scroll").scrollTop = at("scroll").scrollHeight;
}

function send(text) {
  const message = { message: number(), thread: chat.open, text };
  chat.outbox.push(message);
  keepOutbox();
  story.waiting(message);
  showEmpty();
  at("scroll").scrollTop = at("scroll").scrollHeight;
  flush();
}

/** Sends what is not stored, in order. A message has one number for ever: sent twice, it is stored once. */
async function flush() {
  if (!link.isLive || chat.isMakingThread) return;
  const first = chat.outbox.find(({ thread, refused }) => thread === null && !refused);
  if (first && !(await makeThread(first.text))) return;
  for (const { message, thread, text, refused } of chat.outbox) {
    if (!thread || refused || chat.sent.has(message)) continue;
    if (link.send({ type: "message", message, thread, text })) chat.sent.add(message);
  }
}

/** A thread for what was written without one. */
async function makeThread(text) {
  chat.isMakingThread = true;
  try {
    const title = [...text.replace(/[\p{Cc}\s]+/gu, " ").trim()].slice(0, 60).join("");
    const thread = await account.call("POST", "/api/threads", { title });
    chat.threads.unshift(thread);
    for (const message of chat.outbox) message.thread ??= thread.id;
    keepOutbox();
    chat.open ??= thread.id;
    showThreads();
    return true;
  } catch (error) {
    if (error.status >= 400 && error.status < 500) {
      for (const message of chat.outbox) if (message.thread === null) message.refused = error.message;
      showWaiting();
    } else {
      setTimeout(flush, 1000 + Math.random() * 2000);
    }
    return false;
  } finally {
    chat.isMakingThread = false;
  }
}

function acknowledge(id) {
  if (!chat.outbox.some(({ message }) => message === id)) return;
  chat.outbox = chat.outbox.filter(({ message }) => message !== id);
  keepOutbox();
}

function refused({ what, message: id, reason }) {
  const message = what === "message" && chat.outbox.find((one) => one.message === id);
  tell(`Refused: ${reason}`);
  if (!message) return;
  message.refused = reason;
  chat.sent.delete(id);
  keepOutbox();
  if (message.thread === chat.open) story.waiting(message);
}

/** A number that nobody else has: RFC 9562, version 4. `randomUUID` is missing on plain HTTP. */
function number() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/* What the user does. */

function openMenu(isOpen) {
  document.body.dataset.menu = isOpen ? "open" : "closed";
  at("menu").setAttribute("aria-expanded", String(isOpen));
}

function grow() {
  const text = at("text");
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight + 2}px`;
}

function submitMessage() {
  const text = at("text").value.trim();
  if (!text) return at("text").focus();
  at("text").value = "";
  grow();
  send(text);
  at("text").focus();
}

at("account-form").addEventListener("submit", enter);
at("account-other").addEventListener("click", () => { choose(way === "signup" ? "login" : "signup"); at("name").focus(); });
at("leave").addEventListener("click", leave);
at("again").addEventListener("click", () => link.hurry());
at("menu").addEventListener("click", () => openMenu(at("menu").getAttribute("aria-expanded") !== "true"));
at("new").addEventListener("click", () => { openThread(null); openMenu(false); at("text").focus(); });
at("ideas").addEventListener("click", ({ target }) => { if (target.matches("button")) { send(target.textContent); at("text").focus(); } });
at("composer").addEventListener("submit", (submitted) => { submitted.preventDefault(); submitMessage(); });
at("text").addEventListener("input", grow);
at("text").addEventListener("keydown", (key) => {
  if (key.key === "Enter" && !key.shiftKey && !key.isComposing) { key.preventDefault(); submitMessage(); }
});
addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && document.body.dataset.menu === "open") { openMenu(false); at("menu").focus(); }
});
at("main").addEventListener("pointerdown", () => openMenu(false));

async function begin() {
  choose(account.isKept() ? "login" : "signup");
  if (account.isKept()) {
    for (let tries = 0; ; tries++) {
      try { await account.renew(); return signedIn(); } catch (error) {
        if (error.status !== 0 && error.status !== 503) break;
        at("loading-text").textContent = "The service can't be reached. Trying again.";
        const pause = Math.max(error.retryAfter * 1000, Math.min(10_000, 500 * 2 ** tries) * (0.5 + Math.random() / 2));
        await new Promise((go) => { setTimeout(go, pause); });
      }
    }
  }
  view("account");
  showLink("signed-out", "Not signed in", null);
  at("name").focus();
}

begin();
