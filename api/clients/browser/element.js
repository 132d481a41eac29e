/**
 * <liveness-check>: the whole check as a custom element. Importing this file defines it.
 *
 *   <script type="module" src="https://liveness.example/web/client/element.js"></script>
 *   <liveness-check challenges="3"></liveness-check>
 *
 * Attributes, properties, events and parts: README.md beside this file, and element.d.ts.
 */

import { listCameras } from "./camera.js";
import { LivenessCheck } from "./check.js";
import { UNUSABLE } from "./codes.js";
import { icon, svg } from "./icons.js";
import { choose, preferred, Words } from "./language.js";
import { dress } from "./styles.js";

/** Milliseconds for which "Well done" is shown at least. */
const PRAISE = 700;
/** Milliseconds that a hint must last before a screen reader reads it, so that hints do not interrupt each other. */
const READ_AFTER = 900;
/** Default seconds for a challenge: enough to listen to a screen reader first. */
const SECONDS = 10;
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
const FORWARDED = ["session", "challenge", "hint", "passed", "waiting", "resumed", "answer", "completed", "failed", "error", "cancelled"];

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

export class LivenessCheckElement extends HTMLElement {
  static observedAttributes = ["lang"];

  /**
   * Creates the session for each try, if your server does that: `async ({exclude}) => ({session_id, token, …})`.
   * Otherwise the element creates it itself.
   */
  createSession = null;
  /** Words of your own, by the keys of locales/en.js. */
  messages = {};
  /** A secret that binds the token to this browser: see service.js. */
  browserSecret = null;

  #root;
  #words = new Words();
  #check = null;
  #cannot = new Set();
  #camera = null;
  #dom = {};
  #timers = new Set();
  #praisedUntil = 0;
  #shown = null;
  #screen = null;
  #used = null;

  constructor() {
    super();
    const shadow = this.attachShadow({ mode: "open" });
    dress(shadow);
    this.#root = h("div", { class: "root", part: "root" });
    shadow.append(this.#root);
  }

  async connectedCallback() {
    await this.#applyLanguage();
    if (this.isConnected && !this.#screen) this.#intro({ focus: false });
  }

  disconnectedCallback() {
    this.#check?.cancel();
    this.#clearTimers();
  }

  async attributeChangedCallback() {
    if (!this.#screen) return;
    await this.#applyLanguage();
    if (this.#screen === "intro") this.#intro({ focus: false });
  }

  /** Begin, as the button does. Browsers ask for the camera only after a person's own action. */
  start() {
    if (!this.#check || this.#check.ended) this.#begin();
  }

  /** Cancel the check and go back to the first screen. */
  cancel() {
    this.#check?.cancel();
  }

  get #service() {
    const api = this.getAttribute("api") ?? undefined;
    const token = this.getAttribute("token");
    const id = this.getAttribute("session-id");
    return { api, token, session: id ? { session_id: id } : null, browserSecret: this.browserSecret };
  }

  get #voice() {
    return this.hasAttribute("voice");
  }

  async #applyLanguage() {
    const words = await Words.of(choose([this.getAttribute("lang"), ...preferred()]), this.messages);
    if (this.hasAttribute("lang") && words.code !== choose([this.getAttribute("lang")])) return; // the language was changed meanwhile
    this.#words = words;
    this.#root.lang = this.#words.code;
    this.#root.dir = this.#words.dir;
  }

  #say(key, places) {
    return this.#words.say(key, places);
  }

  #show(name, part, ...children) {
    this.#clearTimers();
    this.#screen = name;
    this.#root.replaceChildren(h("section", { class: part, part: name, "data-screen": name }, ...children));
    this.#notify("liveness-screen", { screen: name });
  }

  #focus(selector) {
    this.#root.querySelector(selector)?.focus({ preventScroll: false });
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
        onclick: () => this.#possible().length && this.#begin(),
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
              checked: this.#voice,
              onchange: (event) => this.toggleAttribute("voice", event.target.checked),
            }),
            this.#say("intro.voice"),
          )
        : null,
      h("div", { class: "actions" }, start),
    );
    if (focus) this.#focus("h2");
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

  async #begin() {
    this.#buildCamera();
    this.#speak(""); // within the person's action: some browsers allow speech only after one
    const { api, token, session, browserSecret } = this.#service;
    const exclude = this.#excluded();
    const options = {
      api,
      token,
      session,
      browserSecret,
      challenges: number(this.getAttribute("challenges")),
      timeoutSeconds: number(this.getAttribute("timeout-seconds")) ?? SECONDS,
      types: list(this.getAttribute("types")),
      exclude: exclude.length ? exclude : undefined,
      reveal: this.getAttribute("reveal") ?? "next",
      preset: this.getAttribute("preset") ?? undefined,
      deviceId: this.#camera,
    };
    if (this.createSession) {
      try {
        const made = await this.createSession({ exclude });
        Object.assign(options, { session: made, token: made.token ?? token });
      } catch (error) {
        return this.#broken(error);
      }
    } else if (session && this.#used === session.session_id) {
      return this.#broken({ code: "session_gone" }); // a session is for one try
    }
    this.#used = session?.session_id ?? null;
    this.#run(new LivenessCheck(options));
  }

  #run(check) {
    this.#check = check;
    for (const kind of FORWARDED) check.addEventListener(kind, (event) => this.#notify(`liveness-${kind}`, event.detail));
    const on = (kind, act) => check.addEventListener(kind, (event) => check === this.#check && act(event.detail));
    on("phase", ({ phase }) => this.#phase(phase));
    on("session", () => this.#progress(0));
    on("challenge", (challenge) => this.#after(Math.max(0, this.#praisedUntil - performance.now()), () => this.#ask(challenge)));
    on("clock", ({ seconds }) => this.#countDown(seconds));
    on("hint", (hint) => this.#advise(hint));
    on("face", (seen) => this.#guide(seen));
    on("passed", (passed) => this.#praise(passed));
    on("waiting", ({ reason }) => this.#wait(this.#say(`waiting.${reason}`)));
    on("resumed", () => this.#wait(null));
    on("completed", ({ isLive }) => this.#after(PRAISE, () => (isLive === false ? this.#failed("not_met") : this.#done(isLive))));
    on("failed", ({ reason }) => this.#failed(reason));
    on("error", ({ error }) => this.#broken(error));
    on("cancelled", () => this.#intro());
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
      quiet: h("p", { class: "hidden", role: "status", "aria-live": "polite" }),
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
    this.#shown = null;
    this.#praisedUntil = 0;
    const cancel = h("button", { class: "button", part: "button", type: "button", onclick: () => this.cancel() }, this.#say("camera.cancel"));
    this.#show(
      "camera",
      "camera",
      h("div", { class: "words", tabindex: "-1" }, dom.instruction, dom.hint, dom.loud, dom.quiet),
      dom.stage,
      h("div", { class: "below" }, dom.dots, dom.cameras, cancel),
    );
    this.#instruct(this.#say("camera.opening"), this.#say("camera.opening.hint"));
    cancel.focus({ preventScroll: true });
    this.scrollIntoView?.({ block: "nearest" });
  }

  #phase(phase) {
    if (phase !== "ready") return;
    this.#dom.stage.classList.add("live");
    this.#instruct(this.#say("camera.ready"), this.#say("camera.ready.hint"));
    this.#cameras();
  }

  async #cameras() {
    const cameras = await listCameras().catch(() => []);
    const used = this.#dom.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
    this.#dom.cameras.replaceChildren(
      ...cameras.map(({ id, label }) => h("option", { value: id, selected: id === used }, label)),
    );
    this.#dom.cameras.hidden = cameras.length < 2;
  }

  #switch(id) {
    this.#camera = id;
    const old = this.#check;
    this.#check = null; // its further events are ignored
    old?.cancel();
    this.#begin();
  }

  #ask(challenge) {
    this.#shown = challenge;
    const text = this.#words.challenge(challenge);
    this.#instruct(text, "");
    this.#mood(null);
    const [at, go] = PLACES[challenge.type] ?? ["bottom", null];
    this.#picture(challenge.type, at, go);
    this.#progress(challenge.index);
  }

  #picture(name, at, go, mood = null) {
    const drawn = icon(name);
    const { pictogram } = this.#dom;
    pictogram.hidden = drawn === null;
    pictogram.replaceChildren(...(drawn ? [drawn] : []));
    pictogram.dataset.at = at;
    pictogram.dataset.go = go ?? "";
    pictogram.dataset.mood = mood ?? "";
  }

  #instruct(text, hint = "") {
    this.#dom.instruction.textContent = text;
    this.#dom.loud.textContent = text;
    this.#hintText(hint);
    this.#speak(text);
  }

  #hintText(text) {
    if (this.#dom.hint.textContent === text) return;
    this.#dom.hint.textContent = text;
    this.#cancelTimer(this.#dom.telling);
    this.#dom.telling = text ? this.#after(READ_AFTER, () => (this.#dom.quiet.textContent = text)) : null;
  }

  #advise(hint) {
    if (performance.now() < this.#praisedUntil) return;
    // A hint that only repeats the challenge is shown as the instruction already.
    const repeats = hint && this.#shown && hint.code === this.#shown.type.toLowerCase();
    if (!hint || repeats || hint.code === "passed") return this.#help(null);
    if (hint.code === "wait") return this.#hintText(this.#words.hint(hint));
    this.#help(hint);
  }

  #help(hint) {
    this.#dom.advice = hint;
    this.#hintText(hint ? this.#words.hint(hint) : this.#shown ? "" : this.#say("camera.ready.hint"));
    this.#mood(hint && UNUSABLE.has(hint.code) ? "help" : null);
  }

  /** Help a person into the middle; the service itself gives no such hint. */
  #guide({ face }) {
    if (performance.now() < this.#praisedUntil || (this.#dom.advice && this.#dom.advice.code !== "off_centre")) return;
    const turns = this.#shown && this.#shown.type in PLACES;
    const aside = face && !turns && (Math.abs(face.x - 0.5) > ASIDE.x || Math.abs(face.y - 0.5) > ASIDE.y);
    if (aside !== (this.#dom.advice?.code === "off_centre")) this.#help(aside ? { code: "off_centre" } : null);
    if (aside) this.#mood("help");
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

  #praise({ index, total }) {
    this.#praisedUntil = performance.now() + PRAISE;
    this.#stopCountDown();
    this.#shown = null;
    this.#dom.advice = null;
    this.#mood("good");
    this.#instruct(this.#say("passed"));
    this.#picture("check", "bottom", null, "good");
    this.#progress(index + 1, total);
    navigator.vibrate?.(30);
  }

  #progress(done, total = this.#check.total) {
    const dot = (i) => h("span", { class: i < done ? "done" : i === done ? "now" : "" }, icon("check"));
    this.#dom.dots.replaceChildren(...Array.from({ length: total }, (_, i) => dot(i)));
    this.#dom.dots.setAttribute("aria-label", this.#say("progress", { done, total }));
  }

  #wait(text) {
    this.#dom.waiting.hidden = !text;
    this.#dom.waiting.textContent = text ?? "";
  }

  // --- the outcome --------------------------------------------------------------------------------------------------

  #done(isLive) {
    const again = this.hasAttribute("restart") && !this.getAttribute("session-id");
    this.#show(
      "done",
      "screen",
      h("div", { class: "badge" }, icon("check")),
      h("h2", { tabindex: "-1", part: "title" }, this.#say("done.title")),
      h("p", { class: "lead", part: "text" }, this.#say(isLive === null ? "done.text.unknown" : "done.text")),
      again ? h("div", { class: "actions" }, this.#button("done.again", () => this.#intro(), "")) : null,
    );
    this.#end("done.title");
  }

  #failed(reason) {
    this.#show(
      "failed",
      "screen",
      h("div", { class: "badge bad" }, icon("cross")),
      h("h2", { tabindex: "-1", part: "title" }, this.#say(`failed.${reason}.title`)),
      h("p", { class: "lead", part: "text" }, this.#say(`failed.${reason}.text`)),
      h(
        "div",
        { class: "tips", part: "tips" },
        h("h3", {}, this.#say("failed.tips")),
        h("ul", {}, ...["failed.tip1", "failed.tip2", "failed.tip3"].map((key) => h("li", {}, this.#say(key)))),
      ),
      this.#retry(),
    );
    this.#end(`failed.${reason}.title`);
  }

  #broken(error) {
    const known = this.#words.words[`error.${error.code}.title`] ? error.code : "refused";
    const final = known === "insecure_context" || known === "unsupported" || known === "not_allowed";
    this.#show(
      "error",
      "screen",
      h("div", { class: "badge bad" }, icon("alert")),
      h("h2", { tabindex: "-1", part: "title", "data-error": known }, this.#say(`error.${known}.title`)),
      h("p", { class: "lead", part: "text" }, this.#say(`error.${known}.text`)),
      final ? null : this.#retry(error.retryAfter ?? 0),
    );
    this.#end(`error.${known}.title`);
  }

  /**
   * The buttons to try again: after `seconds` if an error says how many; without an error, with a way to the choices of what
   * the person cannot do. Null for a session that a server created for one try.
   */
  #retry(seconds = null) {
    if (this.getAttribute("session-id") && !this.createSession) return null;
    const again = this.#button("failed.again", () => again.getAttribute("aria-disabled") !== "true" && this.#begin(), "primary");
    const until = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      again.setAttribute("aria-disabled", String(left > 0));
      again.textContent = left > 0 ? this.#say("error.wait", { n: left }) : this.#say("failed.again");
      if (left > 0) this.#after(250, tick);
    };
    if (seconds > 0) setTimeout(tick); // after #show has cleared the timers of the last screen
    return h(
      "div",
      { class: "actions" },
      again,
      seconds === null && this.#kinds.length > 1 && (this.createSession || !this.getAttribute("session-id"))
        ? this.#button("intro.options", () => this.#intro({ open: true }), "")
        : null,
    );
  }

  #button(key, act, kind) {
    const part = kind === "primary" ? "button primary-button" : "button";
    return h("button", { class: `button ${kind}`, part, type: "button", onclick: act }, this.#say(key));
  }

  #end(key) {
    this.#focus("h2");
    this.#speak(this.#say(key));
  }

  #speak(text) {
    if (!this.#voice || !("speechSynthesis" in globalThis)) return;
    speechSynthesis.cancel();
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.lang = this.#words.code;
    speechSynthesis.speak(spoken);
  }

  #notify(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail, bubbles: true, composed: true }));
  }

  #after(milliseconds, act) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, milliseconds);
    this.#timers.add(timer);
    return timer;
  }

  #cancelTimer(timer) {
    clearTimeout(timer);
    this.#timers.delete(timer);
  }

  #clearTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

if (!customElements.get("liveness-check")) customElements.define("liveness-check", LivenessCheckElement);
