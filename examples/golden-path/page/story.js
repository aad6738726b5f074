// What was said in a thread, as a person sees it.
//
// Owns the elements of messages and runs. Must never insert a text as anything but text: users and agents write them.

const make = (kind, name = "", text = "") => {
  const element = document.createElement(kind);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
};

/** How an outcome reads. */
const OUTCOME = {
  completed: ["good", "Completed"],
  cancelled: ["", "Stopped by you"],
  failed: ["bad", "Failed"],
};

export class Story {
  #list;
  #acts;
  #runs = new Map();
  #messages = new Map();
  #seen = new Set();

  /** `acts` has: cancel(run), again(message), drop(message), tell(text). */
  constructor(list, acts) {
    this.#list = list;
    this.#acts = acts;
  }

  get isEmpty() { return this.#list.childElementCount === 0; }

  clear() {
    this.#list.replaceChildren();
    for (const kept of [this.#runs, this.#messages, this.#seen]) kept.clear();
  }

  /** A message that is not stored yet, or was refused. */
  waiting(message) {
    const shown = this.#message(message.message, message.text);
    shown.item.classList.add("pending");
    shown.note.replaceChildren();
    shown.note.className = message.refused ? "note bad" : "note";
    shown.note.hidden = false;
    if (!message.refused) {
      shown.note.textContent = "Pending: sent as soon as the service is there";
      return;
    }
    const again = make("button", "", "Try again");
    const drop = make("button", "", "Discard");
    for (const button of [again, drop]) button.type = "button";
    again.onclick = () => this.#acts.again(message);
    drop.onclick = () => {
      shown.item.remove();
      this.#messages.delete(message.message);
      this.#acts.drop(message);
    };
    shown.note.append(make("span", "", `Not sent: ${message.refused}`), again, drop);
  }

  /** An event, in order. A second time it changes nothing. `isNew` events are told to who listens. */
  event(event, isNew) {
    if (this.#seen.has(event.id)) return;
    this.#seen.add(event.id);
    if (event.type === "user_message") this.#stored(event);
    else this.#ofRun(event, isNew ? this.#acts.tell : () => {});
  }

  #message(id, text) {
    let shown = this.#messages.get(id);
    if (!shown) {
      const item = make("li", "said-user");
      item.dataset.message = id;
      item.append(make("span", "unseen", "You said: "), make("div", "bubble", text));
      const note = make("div", "note");
      note.hidden = true;
      item.append(note);
      shown = { item, note };
      this.#messages.set(id, shown);
      this.#list.append(item);
    }
    return shown;
  }

  #stored({ message, text }) {
    const shown = this.#message(message, text);
    if (shown.item.classList.contains("pending")) {
      shown.item.classList.remove("pending");
      shown.note.hidden = true;
      // In the order of the events: what still waits stands behind what is stored.
      const first = this.#list.querySelector(".pending");
      if (first && first.compareDocumentPosition(shown.item) & Node.DOCUMENT_POSITION_FOLLOWING) first.before(shown.item);
    }
  }

  #run(id) {
    let run = this.#runs.get(id);
    if (!run) {
      const item = make("li", "run");
      item.dataset.run = id;
      run = { id, item, steps: make("ol", "steps"), words: make("div", "words"), end: make("div", "run-end"), text: [], calls: new Map() };
      run.steps.setAttribute("aria-label", "Steps");
      const stop = make("button", "", "Stop");
      stop.type = "button";
      stop.setAttribute("aria-label", "Stop this answer");
      stop.onclick = () => this.#acts.cancel(id);
      run.status = make("span", "", "Working");
      run.end.append(run.status, stop);
      run.stop = stop;
      item.append(make("span", "unseen", "The agent: "), run.steps, run.words, run.end);
      this.#runs.set(id, run);
      const first = this.#list.querySelector(".pending");
      if (first) first.before(item); else this.#list.append(item);
    }
    return run;
  }

  #ofRun(event, tell) {
    const run = this.#run(event.run);
    switch (event.type) {
      case "agent_started":
        step(run, event, "good").append(line(`Started with ${event.model}`));
        tell("The agent has started.");
        break;
      case "agent_thinking":
        step(run, event, "busy").append(line(event.text));
        tell(`The agent thinks: ${event.text}`);
        break;
      case "tool_executing":
        executing(run, event);
        tell(`It uses ${event.tool}.`);
        break;
      case "tool_completed":
        completed(run, event);
        tell(event.ok ? `${event.tool} has answered.` : `${event.tool} has failed.`);
        break;
      case "agent_text":
        settle(run);
        run.text.length = Math.min(run.text.length, event.offset);
        run.text.push(...event.text);
        run.words.textContent = run.text.join("");
        break;
      case "agent_completed":
        this.#ended(run, event, tell);
        break;
      default: // a newer service says more than this page knows
    }
  }

  #ended(run, { type, outcome, text }, tell) {
    const [state, name] = OUTCOME[outcome] ?? ["", outcome];
    settle(run, outcome === "completed" ? "good" : "");
    if (outcome !== "failed") run.words.textContent = text;
    if (run.stop === document.activeElement) document.getElementById("text").focus();
    run.stop.remove();
    run.end.dataset.event = type;
    run.end.dataset.state = state;
    run.status.textContent = outcome === "failed" && text ? `${name}: ${text}` : name;
    run.item.dataset.outcome = outcome;
    tell(outcome === "completed" ? `The agent says: ${text}` : run.status.textContent);
  }
}

const line = (text) => make("p", "", text);

/** The next step of a run. What was thought before it is over. */
function step(run, { type }, state) {
  settle(run);
  const item = make("li");
  item.dataset.event = type;
  item.dataset.state = state;
  run.steps.append(item);
  return item;
}

/** Thinking is over as soon as something else begins. */
function settle(run, state = "good") {
  for (const item of run.steps.querySelectorAll('[data-event="agent_thinking"][data-state="busy"]')) item.dataset.state = state;
  for (const item of state ? [] : run.steps.querySelectorAll('[data-state="busy"]')) item.dataset.state = "";
}

function executing(run, event) {
  // A run that another instance took over may call again: the same call is the same line.
  if (run.calls.has(event.call)) return;
  const item = step(run, event, "busy");
  const details = make("details");
  const summary = make("summary");
  const state = make("span", "", ": at work");
  summary.append("Uses ", make("code", "", event.tool), state);
  const cargo = make("dl", "cargo");
  cargo.append(make("dt", "", "Input"), value(event.input));
  details.append(summary, cargo);
  item.append(details);
  run.calls.set(event.call, { item, state, cargo });
}

function completed(run, event) {
  if (!run.calls.has(event.call)) executing(run, { ...event, type: "tool_executing", input: null });
  const call = run.calls.get(event.call);
  if (call.isDone) return;
  call.isDone = true;
  call.item.dataset.state = event.ok ? "good" : "bad";
  call.item.dataset.done = event.type;
  call.state.textContent = event.ok ? ": done" : ": failed";
  call.cargo.append(make("dt", "", "Output"), value(event.output));
}

function value(json) {
  const holder = make("dd");
  const text = make("pre", "", typeof json === "string" ? json : JSON.stringify(json, null, 2));
  // What scrolls can be reached by keyboard.
  text.tabIndex = 0;
  holder.append(text);
  return holder;
}
