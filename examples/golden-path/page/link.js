// The WebSocket to the service, for as long as a user is signed in.
//
// Owns connecting, the place in the user's events, the heartbeat and coming back. Must never give an event twice.
//
// States: connecting, waiting (the handshake is held), live, lost (coming back), refused (in so many seconds again),
// stopped (a person has to decide), signed-out.

import * as account from "./account.js";

/** After how long a handshake counts as held, in milliseconds. */
const HELD_AFTER = 1000;
/** The first and the longest pause before coming back, in milliseconds; the middle of each is jitter. */
const PAUSE_FIRST = 500;
const PAUSE_MAX = 10_000;
/** How long a socket is quiet, in heartbeats, until it counts as dead. */
const BEATS_MAX = 2.5;
/** Pause between two questions for the phase of a start, in milliseconds. */
const PHASE_EVERY = 2000;

/** What a person reads about a Close that is not cured by coming again. */
const STOPPED = new Map([
  [4429, "Too many windows of yours are connected. Close one, then connect again."],
  [1008, "The service ended this connection because of a mistake of this page."],
  [1003, "The service ended this connection because of a mistake of this page."],
  [1009, "A message was too long for this connection."],
]);

export class Link {
  #told;
  #socket = null;
  #last = null;
  #tries = 0;
  #timer = 0;
  #beat = 0;
  #clock = 0;
  #renewal = 0;
  #round = 0;
  state = "signed-out";

  /** `told` has: state(name, text, seconds), hello(frame), event(event), refused(frame), over(). */
  constructor(told) {
    this.#told = told;
    addEventListener("online", () => this.hurry());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
  }

  get isLive() { return this.state === "live"; }

  /** Sends a frame if the socket is open. */
  send(frame) {
    if (this.isLive) this.#socket.send(JSON.stringify(frame));
    return this.isLive;
  }

  /** Connects again at once, if it is waiting to. */
  hurry() {
    if (["lost", "refused", "stopped"].includes(this.state)) this.connect();
  }

  /** The user has left. */
  close() {
    this.#end();
    this.#last = null;
    this.#say("signed-out", "Signed out");
  }

  async connect() {
    this.#end();
    const round = ++this.#round;
    const isOurs = () => round === this.#round;
    if (this.#tries === 0) this.#say("connecting", "Connecting");
    let access;
    try {
      access = await account.token();
    } catch (error) {
      if (!isOurs()) return;
      if (error.status === 401) this.#over();
      else this.#later(error.retryAfter * 1000, error.status === 0 ? "lost" : "refused", error.message);
      return;
    }
    if (isOurs()) this.#open(access);
  }

  #open(access) {
    const address = new URL("/ws", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    if (this.#last !== null) address.searchParams.set("last_event_id", this.#last);
    const socket = new WebSocket(address, ["golden-path.v1", `bearer.${access}`]);
    this.#socket = socket;
    this.#watchHandshake(socket);
    let greeted = false;
    socket.onopen = () => clearInterval(this.#clock);
    socket.onmessage = ({ data }) => {
      let frame;
      try { frame = JSON.parse(data); } catch { return; }
      this.#hear();
      if (frame.type === "hello") greeted = true;
      this.#frame(frame);
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#closed(code, reason, greeted);
    };
  }

  /** Says how long a handshake is held, and in which phase the service is, if it tells. */
  #watchHandshake(socket) {
    const begun = performance.now();
    let phase = "", asked = false;
    clearInterval(this.#clock);
    this.#clock = setInterval(() => {
      const waited = performance.now() - begun;
      if (socket.readyState !== WebSocket.CONNECTING || waited < HELD_AFTER) return;
      this.#say("waiting", `Waiting for the service to start${phase && `: ${phase}`}`, Math.floor(waited / 1000));
      if (asked) return;
      asked = true;
      askPhase().then((said) => {
        phase = said;
        setTimeout(() => { asked = false; }, PHASE_EVERY);
      });
    }, 250);
  }

  #frame(frame) {
    if (frame.type === "ping") this.#socket.send('{"type":"pong"}');
    else if (frame.type === "hello") this.#hello(frame);
    else if (frame.type === "refused") this.#told.refused(frame);
    else if (Number.isInteger(frame.id) && !(frame.id <= this.#last)) {
      this.#last = frame.id;
      this.#told.event(frame);
    }
  }

  #hello(frame) {
    this.#tries = 0;
    this.#last = frame.last_event_id;
    this.heartbeat = frame.heartbeat_ms;
    this.#hear();
    this.#say("live", "Live");
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.send({ type: "ping" }), this.heartbeat);
    this.#renewLater();
    this.#told.hello(frame);
  }

  /** The socket lasts as long as its token: a newer one goes over it before that. */
  #renewLater() {
    clearTimeout(this.#renewal);
    this.#renewal = setTimeout(async () => {
      try {
        if (this.send({ type: "token", access: await account.token() })) this.#renewLater();
      } catch (error) {
        if (error.status === 401) this.#over();
        else this.#renewal = setTimeout(() => this.#renewLater(), 1000 + Math.random() * 4000);
      }
    }, Math.max(250, account.renewIn() + 50));
  }

  /** Whatever came: the other side is there. Where nothing comes any more the socket is given up. */
  #hear() {
    clearTimeout(this.silence);
    const socket = this.#socket;
    this.silence = setTimeout(() => {
      if (socket === this.#socket) this.#closed(1006, "", true);
    }, (this.heartbeat ?? 30_000) * BEATS_MAX);
  }

  #closed(code, reason, greeted) {
    this.#end();
    const wait = /^retry=(\d{1,8})$/.exec(reason);
    if (code === 4401) {
      // Revoked or ended: the cookie tells which.
      account.renew().then(() => this.#later(0, "lost", "Lost: coming back"), (error) => {
        if (error.status === 401) this.#over();
        else this.#later(error.retryAfter * 1000, "lost", "Lost: coming back");
      });
    } else if (STOPPED.has(code)) {
      this.#say("stopped", STOPPED.get(code));
    } else if (code === 1013) {
      this.#later(wait ? Number(wait[1]) : 1000, "refused", "Refused: try again");
    } else if (code === 1011 && !greeted) {
      this.#later(0, "refused", "The service was not ready (1011)");
    } else {
      this.#later(0, "lost", "Lost: coming back");
    }
  }

  /** Comes back: not before `atLeast` milliseconds, and not in step with all the others. */
  #later(atLeast, state, text) {
    this.#end();
    const most = Math.min(PAUSE_MAX, PAUSE_FIRST * 2 ** this.#tries++);
    const at = performance.now() + Math.max(atLeast, most / 2) + Math.random() * most / 2;
    const show = () => {
      const left = Math.max(1, Math.ceil((at - performance.now()) / 1000));
      this.#say(state, text, state === "refused" ? left : null);
    };
    show();
    this.#clock = setInterval(show, 500);
    this.#timer = setTimeout(() => this.connect(), at - performance.now());
  }

  #over() {
    this.#end();
    this.#last = null;
    this.#say("signed-out", "Signed out");
    this.#told.over();
  }

  #end() {
    this.#round++;
    for (const timer of [this.#timer, this.#renewal, this.silence]) clearTimeout(timer);
    for (const timer of [this.#beat, this.#clock]) clearInterval(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= WebSocket.OPEN) socket.close(1000);
  }

  #say(state, text, seconds = null) {
    this.state = state;
    this.#told.state(state, text, seconds);
  }
}

/** The phase that the service is in, where its health is told during the start; empty where that is held, too. */
async function askPhase() {
  try {
    const answer = await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (answer.ok) return "";
    const health = await answer.json();
    const phase = health.phase ?? health.startup?.phase ?? health.startup?.current;
    return typeof phase === "string" && phase !== "complete" ? phase.slice(0, 40) : "";
  } catch {
    return "";
  }
}
