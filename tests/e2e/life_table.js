/** The table of the element's life: each state in which it may be, and each thing that may happen to it then. */

import * as stage from "./stage.js";

const { answers, element, hold, reached, screenOf, until } = stage;

const box = () => document.querySelector("#box");
const other = () => document.querySelector("#other");

/** An element that was started, and waits for what has this name. */
const waiting = (name, attributes, properties) => async () => {
  hold(name);
  const made = element(attributes, properties);
  box().append(made);
  made.start();
  await until(() => reached(name), name);
  return made;
};
/** An element that is on a screen, after a check that ended by this answer. */
const ended = (screen, answer) => async () => {
  stage.script.frame = () => answer;
  const made = element();
  box().append(made);
  made.start();
  await until(() => screenOf(made) === screen, screen);
  stage.script.frame = () => answers.asked("TURN_LEFT");
  return made;
};

const STATES = {
  async language() {
    hold("language");
    const made = element({ lang: "de" });
    box().append(made);
    await until(() => reached("language"));
    return made;
  },
  async language_started() {
    hold("language");
    const made = await waiting("camera", { lang: "de" })();
    return made;
  },
  async intro() {
    const made = element();
    box().append(made);
    await until(() => screenOf(made) === "intro");
    return made;
  },
  camera: waiting("camera"),
  play: waiting("play"),
  list: waiting("list"),
  ready: waiting("ready"),
  create: waiting("create"),
  host: waiting("host", {}, { createSession: stage.createSession }),
  look: waiting("look", { "session-id": "given" }),
  picture: waiting("picture"),
  frame: waiting("frame"),
  given_frame: waiting("frame", { "session-id": "given" }),
  host_frame: waiting("frame", {}, { createSession: stage.createSession }),
  async running() {
    const made = element();
    box().append(made);
    made.start();
    await until(() => stage.told("challenge").length, "challenge");
    return made;
  },
  async busy() {
    stage.script.create = () => stage.problem(503, "overloaded", { "Retry-After": "0.05" });
    const made = element();
    box().append(made);
    made.start();
    await until(() => stage.told("waiting").length, "waiting");
    stage.script.create = () => ({});
    return made;
  },
  async again() {
    hold("again");
    const made = element();
    box().append(made);
    made.start();
    await until(() => stage.told("challenge").length, "challenge");
    stage.hide(true);
    stage.pass(31_000); // longer than the challenge lasts
    stage.hide(false);
    await until(() => reached("again"), "again");
    return made;
  },
  async praise() {
    hold("praise");
    stage.script.frame = () => answers.ended("completed", { is_live: true });
    const made = element({ restart: "" });
    box().append(made);
    made.start();
    await until(() => stage.told("completed").length, "completed");
    stage.script.frame = () => answers.asked("TURN_LEFT");
    return made;
  },
  done: ended("done", answers.ended("completed", { is_live: true })),
  failed: ended("failed", answers.ended("failed")),
  async error() {
    stage.script.camera = "NotAllowedError";
    const made = element();
    box().append(made);
    made.start();
    await until(() => screenOf(made) === "error", "error");
    stage.script.camera = null;
    return made;
  },
};

/** Each happens to the element, in one task. What it returns is the element that goes on, if any does; null: none may. */
const HAPPENINGS = {
  removed(made) {
    made.remove();
    return null;
  },
  moved(made) {
    made.remove();
    other().append(made);
    return made;
  },
  async remounted(made) {
    made.remove();
    await stage.task();
    box().append(made);
    return null;
  },
  cancelled(made) {
    made.cancel();
    return null;
  },
  started(made) {
    made.start();
    made.start();
    return made;
  },
  /** React's StrictMode: mount, unmount, mount, each with its effect. */
  strict(made) {
    made.start();
    made.cancel();
    made.remove();
    box().append(made);
    made.start();
    return made;
  },
  replaced(made) {
    made.remove();
    const next = element();
    box().append(next);
    next.start();
    return next;
  },
  reconfigured(made) {
    made.lang = "es";
    made.challenges = 2;
    made.types = ["SMILE", "BLINK"];
    made.voice = false;
    made.messages = { passed: "Good" };
    return made;
  },
  left(made) {
    dispatchEvent(new Event("pagehide"));
    return null;
  },
};

const UNSTARTED = new Set(["language", "intro", "praise", "done", "failed", "error"]);

/** The sessions that the client made and has neither used up nor cancelled. */
const open = () => stage.seen.made.filter((id) => !stage.seen.cancelled.includes(id)).length - stage.told("completed").length - stage.told("failed").length;

/** Empty the page, so that nothing of what went on there goes on. */
export async function clear() {
  stage.reset();
  box().replaceChildren();
  other().replaceChildren();
  await stage.task();
  stage.reset();
}

/** Play one cell; throws what is wrong. */
export async function cell(state, happening) {
  await clear();
  const made = await STATES[state]();
  const goesOn = await HAPPENINGS[happening](made);
  const endings = () => ["completed", "failed", "error", "cancelled"].flatMap((kind) => stage.told(kind)).length;
  if (goesOn === null) await stage.task();
  const before = stage.seen.frames.length;
  stage.releaseAll();
  const runs = goesOn && (!UNSTARTED.has(state) || ["started", "strict", "replaced"].includes(happening));
  if (runs) {
    await until(() => stage.seen.frames.length > before + 1, "goes on");
    await until(() => stage.live() === 1, "one camera");
    await until(() => screenOf(goesOn) === "camera" && find(goesOn, ".live"), "the camera is shown");
    const given = goesOn.hasAttribute("session-id");
    await until(() => open() === (given ? 0 : 1), "one session");
    await until(() => stage.seen.locks.size === 1, "one lock");
  } else {
    await stage.pause(40);
    await until(() => stage.live() === 0 && stage.seen.locks.size === 0, "no camera");
    await until(() => open() === 0, "no session");
    const sent = stage.seen.frames.length;
    const ends = endings();
    await stage.pause(40);
    if (stage.seen.frames.length !== sent || (goesOn === null && sent !== before)) throw new Error("pictures are sent");
    if (endings() !== ends) throw new Error("it ends twice");
    if (!UNSTARTED.has(state) && ends !== 1) throw new Error(`ends ${ends} times`);
    if (happening !== "removed") {
      // There is a way on.
      await until(() => screenOf(made) !== null && screenOf(made) !== "camera", "a screen");
      if (!UNSTARTED.has(state) && screenOf(made) !== "intro") throw new Error(`shows ${screenOf(made)}`);
      if (state === "praise" && screenOf(made) !== "done") throw new Error(`shows ${screenOf(made)}`);
      made.start();
      await until(() => stage.seen.frames.length > sent + 1 && stage.live() === 1, "starts again");
    }
  }
  if (stage.seen.cancelled.includes("given")) throw new Error("the host's session is cancelled");
  if (stage.seen.complaints.length) throw new Error(stage.seen.complaints.join());
}

const find = stage.find;
export const states = Object.keys(STATES);
export const happenings = Object.keys(HAPPENINGS);
