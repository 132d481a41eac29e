/**
 * <liveness-check>: the whole check as a custom element. Importing this file defines it.
 *
 *   <script type="module" src="https://liveness.example/web/client/element.js"></script>
 *   <liveness-check challenges="3"></liveness-check>
 *
 * Attributes, properties, events and parts: README.md beside this file, and element.d.ts.
 */

import { FLAGS, TEXTS } from "./attributes.js";
import { listCameras } from "./camera.js";
import { LivenessCheck } from "./check.js";
import { UNUSABLE } from "./codes.js";
import { icon, svg } from "./icons.js";
import { choose, preferred, Words } from "./language.js";
import { Life } from "./life.js";
import { dress } from "./styles.js";

/** Milliseconds for which "Well done" is shown at least. */
const PRAISE = 700;
/** Milliseconds that a hint must last before a screen reader reads it, so that hints do not interrupt each other. */
const READ_AFTER = 900;
/** Default seconds for a challenge: enough to listen to a screen reader first. */
const SECONDS = 10;
/** Milliseconds after which the element no longer waits for a language's file, and speaks English until it is there. */
const LANGUAGE_WITHIN = 3000;
/** Distance of the face's middle from the picture's, as fractions of width and height, from which on the element helps. */
const ASIDE = { x: 0.17, y: 0.2 };

/** The choices of "I cannot do this", and the challenges that each one excludes. */
const CANNOT = {
  turn: ["TURN_LEFT", "TURN_RIGHT"],
  nod: ["LOOK_UP", "LOOK_DOWN"],
  blink: ["BLINK"],
  smile: ["SMILE"],
  mouth: ["OPEN_MOUTH"],
};
const ALL = Object.values(CANNOT).flat();

/** The place of a challenge's pictogram over the mirrored preview, and the direction of its arrow; the same for languages
 * that are written from right to left. */
const PLACES = {
  TURN_LEFT: ["left", "left"],
  TURN_RIGHT: ["right", "right"],
  LOOK_UP: ["top", "up"],
  LOOK_DOWN: ["bottom", "down"],
};

/** The events of a check that the element forwards to its host, as `liveness-…`. */
const FORWARDED = [
  "session",
  "challenge",
  "hint",
  "passed",
  "waiting",
  "resumed",
  "interrupted",
  "answer",
  "completed",
  "failed",
  "error",
  "cancelled",
];

/** The events that end a check. */
const ENDINGS = new Set(["completed", "failed", "error", "cancelled"]);

/** Errors that trying again does not mend. */
const FINAL = new Set(["insecure_context", "unsupported"]);
/** Errors that mean the end of a session that was given to the element, and of its token. */
const SESSION_OVER = new Set(["session_gone", "expired", "interrupted", "not_allowed"]);
/** Problems of the service with sentences of their own. */
const TOLD = new Set(["token_expired", "other_browser"]);

function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const list = (text) => (text ? text.split(/[\s,]+/).filter(Boolean) : undefined);
const number = (text) => (text ? Number(text) : undefined);

/** Whether a property was set on an element before it had one of this name, which it hides. */
const owns = (element, name) => Object.prototype.hasOwnProperty.call(element, name);

/** Set such a property again, this time the element's. */
function setAnew(element, name) {
  const value = element[name];
  delete element[name];
  element[name] = value;
}

/**
 * The element. What it shows is one of its screens, and each screen has a life that ends with it:
 *
 *   (none)  until the words of the language are there
 *   intro   begin() → camera
 *   camera  the check's events → done, failed, error; cancel() → intro
 *   done, failed, error → camera or intro, by their buttons
 *
 * There is at most one check, on the screen `camera`. It belongs to the page that the element is in: once the element has been
 * taken out, and not been put back in the same task, the check is cancelled.
 */
export class LivenessCheckElement extends HTMLElement {
  static observedAttributes = ["lang", "session-id", "token", "challenges", "types", "exclude"];

  /**
   * Creates the session for each try, if your server does that: `async ({exclude}) => ({session_id, token, …})`.
   * Otherwise the element creates it itself.
   */
  createSession = this.createSession ?? null;
  /** A secret that binds the token to this browser: see service.js. */
  browserSecret = this.browserSecret ?? null;

  #root;
  #messages = {};
  #words = new Words();
  /** Whether the element is in a page, but for a move within it. */
  #here = false;
  /** Lives: of the loading of a language, of the screen, of the hint that is about to be read out. */
  #learning = new Life();
  #life = new Life();
  #telling = new Life();
  #screen = null;
  /** Draws the present screen again: in another language, or when the element comes back. */
  #redraw = null;
  #again = false;
  #check = null;
  #cannot = new Set();
  #camera = null;
  #dom = {};
  /** What the check says now, on the screen `camera`: its challenge, hint and face, and what it says in place of them. */
  #scene = {};
  /** The id of the session that was given for the latest check. */
  #tried = null;

  constructor() {
    super(); // the fields above keep what was set before the element was defined
    if (owns(this, "messages")) setAnew(this, "messages");
    const shadow = this.attachShadow({ mode: "open" });
    dress(shadow);
    this.#root = h("div", { class: "root", part: "root" });
    shadow.append(this.#root);
  }

  connectedCallback() {
    for (const name of [...Object.keys(TEXTS), ...Object.keys(FLAGS)]) if (owns(this, name)) setAnew(this, name);
    if (this.#here) {
      this.#dom.video?.play().catch(() => {}); // moved: a browser may have paused it
      return;
    }
    this.#here = true;
    if (this.#screen) this.#drawAgain();
    this.#learn();
  }

  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#leave());
  }

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#here) return;
    if (name === "lang") return void this.#learn();
    if (this.#screen === "intro") return this.#drawAgain();
    // With another session, or another token for it, there is something to begin again.
    if ((name === "session-id" || name === "token") && this.#screen && this.#screen !== "camera") this.#intro({ focus: false });
  }

  /** Begin, as the button does. Browsers ask for the camera only after a person's own action. */
  start() {
    if (this.#check) return;
    if (this.isConnected) return this.#begin();
    queueMicrotask(() => this.isConnected && this.start()); // it may be put into the page in the same task
  }

  /** Cancel the check and go back to the first screen. */
  cancel() {
    this.#check?.cancel();
  }

  /** Words of your own, by the keys of locales/en.js. */
  get messages() {
    return this.#messages;
  }

  set messages(messages) {
    this.#messages = messages ?? {};
    if (this.#here) this.#learn();
  }

  /** The element has left the page: nothing goes on. */
  #leave() {
    if (!this.#here) return;
    this.#here = false;
    this.#check?.cancel();
    this.#learning.end();
    this.#life.end();
    this.#speak("");
  }

  get #service() {
    const api = this.getAttribute("api") ?? undefined;
    const token = this.getAttribute("token");
    const id = this.getAttribute("session-id");
    return { api, token, session: id ? { session_id: id } : null, browserSecret: this.browserSecret };
  }

  /** Whether the session was given to the element, so that it cannot make another one. */
  get #isGiven() {
    return !this.createSession && Boolean(this.getAttribute("session-id"));
  }

  /** Whether it has been tried: another one may have been given since. */
  get #isSpent() {
    return this.#isGiven && this.getAttribute("session-id") === this.#tried;
  }

  /** Learn the words of the language; the latest wish counts. */
  async #learn() {
    this.#learning.end();
    const life = (this.#learning = new Life());
    const draw = () => (this.#screen ? this.#drawAgain() : this.#intro({ focus: false }));
    life.after(LANGUAGE_WITHIN, () => this.#screen || draw());
    try {
      const wanted = [this.getAttribute("lang"), ...preferred()];
      this.#words = await life.until(Words.of(choose(wanted), this.#messages));
    } catch {
      return; // the element has left the page, or another language is wanted
    }
    this.#root.lang = this.#words.code;
    this.#root.dir = this.#words.dir;
    draw();
  }

  #say(key, places) {
    return this.#words.say(key, places);
  }

  /** Show a screen; its life begins with it, and the last one's ends. */
  #show(name, part, ...children) {
    this.#life.end();
    this.#life = new Life();
    this.#screen = name;
    this.#root.replaceChildren(h("section", { class: part, part: name, "data-screen": name }, ...children));
    if (!this.#again) this.#notify("liveness-screen", { screen: name });
  }

  /** Draw the present screen again; nobody is told, and nothing gets the focus. */
  #drawAgain() {
    this.#again = true;
    try {
      this.#redraw();
    } finally {
      this.#again = false;
    }
  }

  #focus(selector) {
    if (!this.#again) this.#root.querySelector(selector)?.focus({ preventScroll: false });
  }

  // --- the first screen ------------------------------------------------------------------------------------------------------

  #intro({ focus = true, open = false } = {}) {
    const count = number(this.getAttribute("challenges"));
    const step = (name, text) => h("li", {}, icon(name), h("span", {}, text));
    const note = h("p", { class: "note", role: "status" });
    const choices = this.#kinds.map((kind) =>
      h(
        "label",
        { class: "choice" },
        h("input", {
          type: "checkbox",
          name: kind,
          checked: this.#cannot.has(kind),
          onchange: (event) => {
            this.#cannot[event.target.checked ? "add" : "delete"](kind);
            note.textContent = this.#possible().length ? "" : this.#say("intro.options.none");
            start.setAttribute("aria-disabled", String(!this.#possible().length));
          },
        }),
        this.#say(`cannot.${kind}`),
      ),
    );
    const start = h(
      "button",
      {
        class: "button primary",
        part: "button primary-button",
        type: "button",
        onclick: () => this.#possible().length && this.start(),
      },
      this.#say("intro.start"),
    );
    this.#show(
      "intro",
      "screen",
      h("h2", { tabindex: "-1", part: "title" }, this.#say("intro.title")),
      h("p", { class: "lead", part: "text" }, this.#say("intro.lead")),
      h(
        "ol",
        { class: "steps", role: "list" },
        step("camera", this.#say("intro.step1")),
        step("move", count ? this.#say("intro.step2", { n: count }) : this.#say("intro.step2.any")),
        step("lock", this.#say("intro.step3")),
      ),
      h("p", { class: "aside", part: "text" }, this.#say("intro.why")),
      choices.length > 1 && !this.getAttribute("session-id")
        ? h(
            "details",
            { open: open || this.#cannot.size > 0 },
            h("summary", {}, this.#say("intro.options")),
            h("fieldset", {}, h("legend", {}, this.#say("intro.options.lead")), ...choices, note),
          )
        : null,
      "speechSynthesis" in globalThis
        ? h(
            "label",
            { class: "choice voice" },
            h("input", {
              type: "checkbox",
              name: "voice",
              checked: this.voice,
              onchange: (event) => this.toggleAttribute("voice", event.target.checked),
            }),
            this.#say("intro.voice"),
          )
        : null,
      h("div", { class: "actions" }, start),
    );
    if (focus) this.#focus("h2");
    this.#redraw = () => this.#intro({ focus: false, open: this.#root.querySelector("details")?.open });
  }

  /** The choices of CANNOT that concern this element's challenges. */
  get #kinds() {
    const types = list(this.getAttribute("types")) ?? ALL;
    return Object.keys(CANNOT).filter((kind) => CANNOT[kind].some((type) => types.includes(type)));
  }

  /** The challenges that remain after the exclusions. */
  #possible() {
    const exclude = this.#excluded();
    return (list(this.getAttribute("types")) ?? ALL).filter((type) => !exclude.includes(type));
  }

  #excluded() {
    return [...(list(this.getAttribute("exclude")) ?? []), ...[...this.#cannot].flatMap((kind) => CANNOT[kind])];
  }

  // --- the check ---------------------------------------------------------------------------------------------------

  #begin() {
    const { api, token, session, browserSecret } = this.#service;
    const { createSession } = this;
    this.#tried = createSession ? null : (session?.session_id ?? null);
    const exclude = this.#excluded();
    const check = new LivenessCheck({
      api,
      token,
      browserSecret,
      session: createSession ? null : session,
      createSession: createSession && (() => createSession.call(this, { exclude })),
      challenges: number(this.getAttribute("challenges")),
      timeoutSeconds: number(this.getAttribute("timeout-seconds")) ?? SECONDS,
      types: list(this.getAttribute("types")),
      exclude: exclude.length ? exclude : undefined,
      reveal: this.getAttribute("reveal") ?? "next",
      preset: this.getAttribute("preset") ?? undefined,
      deviceId: this.#camera,
    });
    this.#check = check;
    this.#buildCamera();
    this.#speak(""); // within the person's action: some browsers allow speech only after one
    const acts = {
      phase: ({ phase }) => phase === "ready" && this.#ready(),
      session: () => this.#progress(0, check.total),
      challenge: (challenge) => this.#ask(challenge),
      clock: ({ seconds }) => this.#countDown(seconds),
      hint: (hint) => this.#advise(hint),
      face: ({ face }) => this.#see(face),
      passed: (passed) => this.#praise(passed),
      waiting: ({ reason }) => this.#wait(this.#say(`waiting.${reason}`)),
      resumed: () => this.#wait(null),
      interrupted: ({ reason }) => this.#interrupted(reason),
      completed: ({ isLive }) => this.#complete(isLive, check.session),
      failed: ({ reason }) => this.#failed(reason, check.session),
      error: ({ error }) => this.#broken(error, check.session),
      cancelled: () => this.#intro(),
    };
    for (const kind of new Set([...Object.keys(acts), ...FORWARDED])) {
      check.addEventListener(kind, ({ detail }) => {
        if (this.#check !== check) return; // another camera's check goes on
        const next = ENDINGS.has(kind) ? null : check;
        this.#check = next;
        if (FORWARDED.includes(kind)) this.#notify(`liveness-${kind}`, detail);
        if (this.#check === next) acts[kind]?.(detail); // else the host has begun again, or cancelled
      });
    }
    check.start(this.#dom.video);
  }

  /** Build the screen with the camera. */
  #buildCamera() {
    const ring = (name) => ["path", { class: name, pathLength: 100, d: "M150 4A146 196 0 1 1 149.99 4" }];
    const overlay = svg("0 0 300 400", ring("track"), ring("ring"));
    const dom = {
      instruction: h("p", { class: "instruction", part: "instruction" }),
      hint: h("p", { class: "hint", part: "hint" }),
      // The visible words change often; screen readers read only what lasts.
      loud: h("p", { class: "hidden", role: "status", "aria-live": "assertive" }),
      quiet: h("p", { class: "hidden quiet", role: "status", "aria-live": "polite" }),
      video: h("video", { part: "video", muted: true, playsinline: true, autoplay: true, "aria-label": this.#say("camera.preview") }),
      pictogram: h("div", { class: "pictogram", hidden: true, "aria-hidden": "true" }),
      waiting: h("p", { class: "waiting", hidden: true, role: "status" }),
      dots: h("div", { class: "dots", part: "progress", role: "img" }),
      cameras: h("select", { "aria-label": this.#say("camera.choose"), hidden: true, onchange: (e) => this.#switch(e.target.value) }),
      ring: overlay.querySelector(".ring"),
    };
    dom.video.muted = true; // the attribute does not mute a video that a script makes
    dom.oval = h("div", { class: "oval", part: "oval" }, overlay);
    dom.stage = h("div", { class: "stage", part: "stage" }, dom.video, dom.oval, dom.pictogram, dom.waiting);
    this.#dom = dom;
    const cancel = h("button", { class: "button", part: "button", type: "button", onclick: () => this.cancel() }, this.#say("camera.cancel"));
    this.#show(
      "camera",
      "camera",
      h("div", { class: "words", tabindex: "-1" }, dom.instruction, dom.hint, dom.loud, dom.quiet),
      dom.stage,
      h("div", { class: "below" }, dom.dots, dom.cameras, cancel),
    );
    this.#scene = { notice: "camera.opening", more: "camera.opening.hint" };
    this.#present();
    this.#redraw = () => {
      dom.video.setAttribute("aria-label", this.#say("camera.preview"));
      dom.cameras.setAttribute("aria-label", this.#say("camera.choose"));
      cancel.textContent = this.#say("camera.cancel");
      this.#present();
    };
    cancel.focus({ preventScroll: true });
    this.scrollIntoView?.({ block: "nearest" });
  }

  #ready() {
    this.#dom.stage.classList.add("live");
    this.#scene = { notice: "camera.ready", more: "camera.ready.hint" };
    this.#present();
    this.#life.listen(navigator.mediaDevices, "devicechange", () => this.#cameras());
    this.#cameras();
  }

  /** Offer the cameras, if there is a choice. */
  async #cameras() {
    const { cameras: select, video } = this.#dom;
    const listed = listCameras().catch(() => []);
    const cameras = await this.#life.until(listed).catch(() => null);
    if (!cameras) return; // another screen is shown by now
    const used = video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
    select.replaceChildren(...cameras.map(({ id, label }) => h("option", { value: id, selected: id === used }, label)));
    select.hidden = cameras.length < 2;
  }

  #switch(id) {
    const old = this.#check;
    if (!old) return;
    this.#camera = id;
    this.#check = null; // its further events are ignored
    old.cancel();
    this.#begin();
  }

  // What is shown follows from what the check said last, whatever came first and whatever is shown in its place for a moment.

  #ask(challenge) {
    this.#scene.challenge = challenge;
    this.#present();
  }

  #advise(hint) {
    // That a frame was passed over says nothing of the person: what was said last still holds.
    if (hint?.code === "superseded" && this.#scene.hint) return;
    this.#scene.hint = hint;
    this.#present();
  }

  #see(face) {
    this.#scene.face = face;
    this.#present();
  }

  #praise({ index, total }) {
    this.#scene = { notice: "passed", praised: true };
    this.#stopCountDown();
    this.#present();
    this.#progress(index + 1, total);
    navigator.vibrate?.(30);
    const scene = this.#scene;
    this.#life.after(PRAISE, () => {
      scene.praised = false;
      if (scene === this.#scene) this.#present();
    });
  }

  #interrupted(reason) {
    this.#scene = { notice: "again.title", more: `again.${reason}`, reason };
    this.#dom.at = null;
    this.#stopCountDown();
    this.#present();
    this.#progress(0, 0);
  }

  #present() {
    const { challenge, praised, notice, more } = this.#scene;
    const asked = praised ? null : challenge;
    const help = praised ? null : this.#help();
    this.#instruct(asked ? this.#words.challenge(asked) : this.#say(notice), asked?.index);
    this.#hint(help ? this.#words.hint(help) : asked || !more ? "" : this.#say(more));
    const unusable = help && (UNUSABLE.has(help.code) || help.code === "off_centre");
    this.#mood(praised ? "good" : unusable ? "help" : null);
    if (asked) this.#picture(asked.type, ...(PLACES[asked.type] ?? ["bottom", null]));
    else if (notice === "passed") this.#picture("check", "bottom", null, "good");
    else this.#picture(null);
    if (asked && this.#dom.at !== asked.index) this.#progress((this.#dom.at = asked.index), asked.total);
  }

  /** The word of help to show: the service's hint, or the way to the middle, which the service does not tell. */
  #help() {
    const { hint, challenge, face } = this.#scene;
    // A hint that only repeats the challenge is shown as the instruction already.
    const repeats = hint && challenge && hint.code === challenge.type.toLowerCase();
    if (hint && !repeats && hint.code !== "passed") return hint;
    if (!face || (challenge && challenge.type in PLACES)) return null;
    return Math.abs(face.x - 0.5) > ASIDE.x || Math.abs(face.y - 0.5) > ASIDE.y ? { code: "off_centre" } : null;
  }

  #instruct(text, index = null) {
    const dom = this.#dom;
    if (dom.instruction.textContent === text && dom.index === index) return;
    dom.index = index;
    dom.instruction.textContent = text;
    dom.loud.textContent = text;
    this.#speak(text);
  }

  #hint(text) {
    const { hint, quiet } = this.#dom;
    if (hint.textContent === text) return;
    const waits = hint.textContent && quiet.textContent !== hint.textContent;
    hint.textContent = text;
    if (!text) {
      this.#telling.end();
      quiet.textContent = "";
    } else if (!waits) {
      // A hint that takes the place of one that was not read yet is read at that one's time: else hints that come and go were never read.
      this.#telling.end();
      this.#telling = new Life();
      this.#telling.after(READ_AFTER, () => (quiet.textContent = hint.textContent));
    }
  }

  #picture(name, at = "", go = null, mood = null) {
    const { pictogram } = this.#dom;
    if (pictogram.dataset.name === String(name)) return; // an animation goes on
    const drawn = name && icon(name);
    pictogram.hidden = !drawn;
    pictogram.replaceChildren(...(drawn ? [drawn] : []));
    Object.assign(pictogram.dataset, { name, at, go: go ?? "", mood: mood ?? "" });
  }

  #mood(mood) {
    if (mood) this.#dom.stage.dataset.mood = mood;
    else delete this.#dom.stage.dataset.mood;
  }

  #countDown(seconds) {
    this.#stopCountDown();
    this.#dom.ring.classList.add("runs");
    this.#dom.countdown = this.#dom.ring.animate([{ strokeDashoffset: 0 }, { strokeDashoffset: 100 }], {
      duration: Math.max(1, seconds * 1000),
      fill: "forwards",
    });
  }

  #stopCountDown() {
    this.#dom.countdown?.cancel();
    this.#dom.ring.classList.remove("runs");
    this.#dom.countdown = null;
  }

  #progress(done, total) {
    const dot = (i) => h("span", { class: i < done ? "done" : i === done ? "now" : "" }, icon("check"));
    this.#dom.dots.replaceChildren(...Array.from({ length: total }, (_, i) => dot(i)));
    this.#dom.dots.setAttribute("aria-label", this.#say("progress", { done, total }));
  }

  #wait(text) {
    this.#dom.waiting.hidden = !text;
    this.#dom.waiting.textContent = text ?? "";
  }

  // --- the outcome --------------------------------------------------------------------------------------------------

  #complete(isLive, session) {
    const show = () => (isLive === false ? this.#failed("not_met", session) : this.#done(isLive));
    this.#redraw = show; // should the element leave the page in this moment, and come back
    this.#life.after(PRAISE, show);
  }

  #done(isLive) {
    const again = this.restart && !this.getAttribute("session-id");
    this.#outcome("done", "done.title", [
      h("p", { class: "lead", part: "text" }, this.#say(isLive === null ? "done.text.unknown" : "done.text")),
      again ? h("div", { class: "actions" }, this.#button("done.again", () => this.#intro(), "")) : null,
    ]);
    this.#redraw = () => this.#done(isLive);
  }

  #failed(reason, session, at = new Date()) {
    this.#outcome("failed", `failed.${reason}.title`, [
      h("p", { class: "lead", part: "text" }, this.#say(`failed.${reason}.text`)),
      h(
        "div",
        { class: "tips", part: "tips" },
        h("h3", {}, this.#say("failed.tips")),
        h("ul", {}, ...["failed.tip1", "failed.tip2", "failed.tip3"].map((key) => h("li", {}, this.#say(key)))),
      ),
      this.#isSpent ? this.#wayBack() : null,
      this.#support(session, at),
      this.#isSpent ? null : this.#retry(),
    ]);
    this.#redraw = () => this.#failed(reason, session, at);
  }

  #broken(error, session, at = new Date(), until = performance.now() + (error.retryAfter ?? 0) * 1000) {
    const titled = (code) => Boolean(this.#words.words[`error.${code}.title`]);
    const { reason } = this.#scene;
    const known = TOLD.has(error.problem) ? error.problem : titled(error.code) ? error.code : "refused";
    const why = error.code === "interrupted" && reason ? `again.${reason}` : `error.${known}.text`;
    const over = this.#isSpent && SESSION_OVER.has(error.code);
    const final = FINAL.has(error.code) || over || (error.code === "not_allowed" && !this.createSession);
    this.#outcome("error", `error.${known}.title`, [
      h("p", { class: "lead", part: "text" }, this.#say(why)),
      over && error.code !== "not_allowed" ? this.#wayBack() : null,
      this.#support(session, at),
      final ? null : this.#retry(until),
    ]);
    this.#root.querySelector("h2").dataset.error = known;
    this.#redraw = () => this.#broken(error, session, at, until);
  }

  /** What a person can do whose session is over and was made elsewhere. */
  #wayBack() {
    return h("p", { class: "lead", part: "text" }, this.#say("session.back"));
  }

  /** What support can look for: the session, and when it was. */
  #support(session, at) {
    const id = session?.session_id ?? this.#tried;
    const time = at.toISOString();
    // In a narrow place the id breaks after its hyphens, and is copied whole.
    const parts = id ? id.split("-").flatMap((part, i) => (i ? ["-", h("wbr"), part] : [part])) : [];
    const printed = `${time.slice(0, 19).replace("T", " ")} UTC`;
    return h(
      "p",
      { class: "aside", part: "support" },
      h(
        "small",
        {},
        this.#say("support"),
        ...(id ? [h("br"), h("bdi", { dir: "ltr" }, h("code", {}, ...parts))] : []),
        h("br"),
        h("bdi", { dir: "ltr" }, h("time", { datetime: time }, printed)),
      ),
    );
  }

  /** The last screens: what became of the check. */
  #outcome(name, title, children) {
    const sign = { done: "check", failed: "cross", error: "alert" }[name];
    this.#show(
      name,
      "screen",
      h("div", { class: name === "done" ? "badge" : "badge bad" }, icon(sign)),
      h("h2", { tabindex: "-1", part: "title" }, this.#say(title)),
      ...children,
    );
    this.#focus("h2");
    if (!this.#again) this.#speak(this.#say(title));
  }

  /**
   * The buttons to try again: from a time on (performance.now()), if an error says when; without an error, with a way to the
   * choices of what the person cannot do.
   */
  #retry(from = null) {
    const again = this.#button("failed.again", () => again.getAttribute("aria-disabled") !== "true" && this.start(), "primary");
    const tick = () => {
      const left = Math.ceil((from - performance.now()) / 1000);
      again.setAttribute("aria-disabled", String(left > 0));
      again.textContent = left > 0 ? this.#say("error.wait", { n: left }) : this.#say("failed.again");
      if (left > 0) this.#life.after(250, tick);
    };
    if (from !== null && from > performance.now()) queueMicrotask(tick); // once this screen is shown: its life has begun then
    return h(
      "div",
      { class: "actions" },
      again,
      from === null && this.#kinds.length > 1 && (this.createSession || !this.getAttribute("session-id"))
        ? this.#button("intro.options", () => this.#intro({ open: true }), "")
        : null,
    );
  }

  #button(key, act, kind) {
    const part = kind === "primary" ? "button primary-button" : "button";
    return h("button", { class: `button ${kind}`, part, type: "button", onclick: act }, this.#say(key));
  }

  #speak(text) {
    if (!this.voice || !("speechSynthesis" in globalThis)) return;
    speechSynthesis.cancel();
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.lang = this.#words.code;
    speechSynthesis.speak(spoken);
  }

  #notify(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
  }
}

// Some frameworks set properties, and before the element is defined.
for (const [name, attribute] of Object.entries(TEXTS)) {
  Object.defineProperty(LivenessCheckElement.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return this.getAttribute(attribute);
    },
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(attribute);
      else this.setAttribute(attribute, String(value));
    },
  });
}

for (const [name, attribute] of Object.entries(FLAGS)) {
  Object.defineProperty(LivenessCheckElement.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return this.hasAttribute(attribute) && this.getAttribute(attribute) !== "false";
    },
    set(value) {
      this.toggleAttribute(attribute, Boolean(value) && value !== "false");
    },
  });
}

if (!customElements.get("liveness-check")) customElements.define("liveness-check", LivenessCheckElement);
