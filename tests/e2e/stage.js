/**
 * A stage for the browser client: a camera, a service and a language file that do what a test says. Whatever the client waits
 * for has a name; `hold` keeps it waiting, and `reached` says that it does. The client's own code is not changed: what it meets is the
 * browser's interface.
 */

const held = new Map();
const arrived = new Set();

/** Keep what has this name waiting. */
export function hold(name) {
  let release;
  held.set(name, { promise: new Promise((resolve) => (release = resolve)), release: () => release() });
  arrived.delete(name);
}

/** Let all go on that waits; from now on nothing is held. */
export function releaseAll() {
  const all = [...held.values()];
  held.clear();
  for (const { release } of all) release();
}

export const reached = (name) => arrived.has(name);

async function gate(name) {
  arrived.add(name);
  await held.get(name)?.promise;
}

/** What happened since `reset`. */
export let seen;
/** What the service and the camera answer; a test may replace each. */
export let script;

const asked = (type, more = {}) => ({
  state: "in_progress",
  challenge_type: type,
  passed: false,
  confidence: 0.5,
  challenges_remaining: 2,
  session_complete: false,
  is_live: null,
  face: null,
  hint: null,
  challenge: { type, instruction: type, timeout_seconds: 10 },
  ...more,
});
export const answers = {
  asked,
  ended: (state, more = {}) => ({ ...asked(null), state, challenge: null, challenges_remaining: 0, ...more }),
};

export function reset() {
  releaseAll();
  arrived.clear();
  seen = { streams: [], frames: [], addresses: [], made: [], cancelled: [], locks: new Set(), events: [], looks: 0, complaints: [] };
  script = {
    camera: null, // the name of the browser's error
    create: () => ({}),
    look: () => ({}),
    frame: () => asked("TURN_LEFT"),
  };
  hidden = false;
}

// --- the camera ------------------------------------------------------------------------------------------------------

const canvas = document.createElement("canvas");
canvas.width = 640;
canvas.height = 480;
const context = canvas.getContext("2d");
let drawn = 0;
setInterval(() => {
  context.fillStyle = `hsl(${(drawn += 7)} 50% 50%)`;
  context.fillRect(0, 0, 640, 480);
}, 20);

navigator.mediaDevices.getUserMedia = async () => {
  await gate("camera");
  if (script.camera) throw new DOMException("scripted", script.camera);
  const stream = canvas.captureStream(30);
  seen.streams.push(stream);
  return stream;
};
navigator.mediaDevices.enumerateDevices = async () => {
  await gate("list");
  return ["one", "two"].map((id) => ({ kind: "videoinput", deviceId: id, label: id }));
};
export const live = () => seen.streams.filter((stream) => stream.getTracks().some((track) => track.readyState === "live")).length;
/** As if the newest camera was unplugged. */
export function unplug() {
  for (const track of seen.streams.at(-1).getTracks()) {
    track.stop();
    track.dispatchEvent(new Event("ended"));
  }
}

const play = HTMLVideoElement.prototype.play;
HTMLVideoElement.prototype.play = async function () {
  await gate("play");
  return play.call(this);
};
const toBlob = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (give, ...how) {
  gate("picture").then(() => toBlob.call(this, give, ...how));
};
Object.defineProperty(navigator, "wakeLock", {
  value: {
    request: async () => {
      await gate("lock");
      const lock = { release: async () => void seen.locks.delete(lock) };
      seen.locks.add(lock);
      return lock;
    },
  },
});

// --- the page and its clock --------------------------------------------------------------------------------------------------------

globalThis.realNow = performance.now.bind(performance);
let passed = 0;
performance.now = () => realNow() + passed;
/** Let so many milliseconds go by at once, for the client's clocks. */
export function pass(milliseconds) {
  passed += milliseconds;
}

let hidden = false;
Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
export function hide(away) {
  hidden = away;
  if (hidden) seen.locks.clear(); // as browsers do
  document.dispatchEvent(new Event("visibilitychange"));
}

/** The client's own waits, by their milliseconds: they last until they are let go, or no time at all. */
const WAITS = globalThis.waits;
const later = globalThis.setTimeout;
globalThis.setTimeout = (act, milliseconds = 0, ...more) => {
  const name = WAITS[milliseconds];
  if (!name) return later(act, milliseconds, ...more);
  gate(name).then(() => later(act, 0, ...more));
  return 0;
};
globalThis.languageGate = () => gate("language");
addEventListener("error", ({ message }) => seen.complaints.push(message));
addEventListener("unhandledrejection", ({ reason }) => seen.complaints.push(String(reason)));

// --- the service -----------------------------------------------------------------------------------------------------

const json = (body, status = 200, headers = {}) => new Response(JSON.stringify(body), { status, headers });
const given = (answer) => (answer instanceof Response ? answer : null);
export const problem = (status, code, headers = {}) => json({ code, detail: code }, status, headers);

const sessionOf = (id, more) => ({ session_id: id, state: "pending", challenges: [{ type: "TURN_LEFT", instruction: "t", timeout_seconds: 30 }], ...more });

globalThis.fetch = async (address, { method = "GET", signal } = {}) => {
  const { pathname } = new URL(address, location.href);
  const id = pathname.match(/sessions\/([^/]+)/)?.[1];
  if (method === "DELETE") {
    seen.cancelled.push(id);
    return json({ cancelled: id });
  }
  seen.addresses.push(String(address));
  const name = pathname.endsWith("/frame") ? "frame" : id ? "look" : "create";
  if (name === "frame") seen.frames.push(id);
  if (name === "look") seen.looks += 1;
  const aborted = new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new DOMException("x", "AbortError"))));
  await Promise.race([gate(name), aborted]);
  const answer = script[name](name === "frame" ? seen.frames.length : id);
  if (answer === "offline") throw new TypeError("Failed to fetch");
  if (given(answer)) return answer.clone();
  if (name === "frame") return json({ session_id: id, ...answer });
  if (name === "look") return json(sessionOf(id, answer));
  seen.made.push(`made-${seen.made.length}`);
  return json(sessionOf(seen.made.at(-1), answer));
};
/** A host's createSession. */
export async function createSession() {
  await gate("host");
  seen.made.push(`made-${seen.made.length}`);
  return sessionOf(seen.made.at(-1), { token: "a.b.c" });
}

// --- the element -----------------------------------------------------------------------------------------------------

const EVENTS = ["session", "challenge", "hint", "passed", "waiting", "resumed", "interrupted", "completed", "failed", "error", "cancelled"];

/** A new element, not in the page yet. */
export function element(attributes = {}, properties = {}) {
  const made = document.createElement("liveness-check");
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  Object.assign(made, properties);
  for (const kind of EVENTS) {
    made.addEventListener(`liveness-${kind}`, ({ detail }) => seen.events.push([kind, detail?.error?.code ?? detail?.reason ?? detail?.code ?? null]));
  }
  return made;
}
export const screenOf = (made) => made.shadowRoot.querySelector("section")?.dataset.screen ?? null;
export const find = (made, selector) => made.shadowRoot.querySelector(selector);
export const told = (kind) => seen.events.filter(([what]) => what === kind).map(([, detail]) => detail);

export async function until(true_, what) {
  const end = Date.now() + 60_000;
  while (!true_()) {
    if (Date.now() > end) throw new Error(`never ${what ?? true_}: ${JSON.stringify({ ...seen, streams: live(), frames: seen.frames.length })}`);
    await new Promise((resolve) => later(resolve, 5));
  }
}
export const pause = (milliseconds) => new Promise((resolve) => later(resolve, milliseconds));
/** A task from now: what was done in one task is done. */
export const task = () => new Promise((resolve) => later(resolve, 0));
