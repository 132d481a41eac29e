/**
 * The page at `/lab`: a session's signals over time, what its judges see, and the raw answers; for developers.
 *
 * It watches the session of the check on the page, or any other (`/lab#session=ID`). The address may hold the options of the
 * check: ?challenges=3 &timeout=10 &types=SMILE,BLINK &reveal=all &preset=strict
 */

import "./client/element.js";
import { Service } from "./client/service.js";

const SESSIONS = `${new Service().api}/sessions`;
/** Milliseconds between two requests. */
const EVERY = 250;
/** Seconds before the newest frame that are requested again: a frame may be judged after one that arrived later. */
const AGAIN = 2;
/** Seconds that a plot shows. */
const SPAN = 20;
/** Answers shown at most. */
const SHOWN = 60;

const degrees = (value) => value.toFixed(1);
const fine = (value) => value.toFixed(3);

/** The plots: their curves of a face's measures, the range that is always shown, and the challenges whose levels are drawn. */
const PLOTS = [
  { id: "yaw", title: "Yaw, degrees; up is the person's own left", curves: { yaw: (f) => f.yaw }, rest: (n) => n.yaw, range: [-40, 40], lines: ["TURN_LEFT", "TURN_RIGHT"], say: degrees },
  { id: "pitch", title: "Pitch, degrees; up is up", curves: { pitch: (f) => f.pitch }, rest: (n) => n.pitch, range: [-15, 45], lines: ["LOOK_UP", "LOOK_DOWN"], say: degrees },
  { id: "eyes", title: "Eyes, opening over width", curves: { left: (f) => f.left_eye, right: (f) => f.right_eye }, rest: (n) => (n.left_eye + n.right_eye) / 2, range: [0, 0.45], lines: ["BLINK"], say: fine },
  { id: "mouth", title: "Mouth, opening in distances between the eyes", curves: { opening: (f) => f.mouth_open }, rest: (n) => n.mouth_open, range: [0, 0.35], lines: ["OPEN_MOUTH"], say: fine },
  { id: "smile", title: "Smile, width less drop of the mouth's corners", curves: { smile: (f) => f.mouth_width - f.mouth_drop }, rest: (n) => n.smile, range: [0.4, 1.2], lines: ["SMILE"], say: fine },
];
/** The size of a plot, and the edges of its curves, in SVG units. */
const WIDE = 620;
const HIGH = 118;
const EDGE = { left: 40, right: 612, top: 6, bottom: 100 };

const byId = (id) => document.getElementById(id);

/** The watching of one session. */
class Watch {
  constructor(id, key) {
    this.id = id;
    this.key = key;
    this.frames = new Map();
    this.over = false;
    this.seen = null;
  }

  /** All frames so far, oldest first. */
  get course() {
    return [...this.frames.values()].sort((a, b) => a.at - b.at);
  }

  async run() {
    while (!this.over) {
      try {
        await this.#look();
      } catch (error) {
        if (this.over) return;
        notice(error.message);
        if (error.final) return;
      }
      await new Promise((done) => setTimeout(done, EVERY));
    }
  }

  async #look() {
    const newest = Math.max(0, ...[...this.frames.values()].map(({ at }) => at));
    const view = await this.#get(`observations?after=${Math.max(0, newest - AGAIN)}`);
    if (this.over) return;
    for (const frame of view.frames) this.frames.set(frame.id, frame);
    draw(this, view);
    notice(`${view.session_id}: ${view.state}, ${this.frames.size} frames`);
    const stage = `${view.state} ${view.challenges.filter((challenge) => challenge.passed_at).length}`;
    if (stage !== this.seen) {
      this.seen = stage;
      weigh(await this.#get("evidence"));
    }
    if (view.ended_at) this.over = true;
  }

  async #get(what) {
    const headers = this.key ? { Authorization: `Bearer ${this.key}` } : {};
    const answer = await fetch(`${SESSIONS}/${encodeURIComponent(this.id)}/${what}`, { headers, cache: "no-store" });
    const body = await answer.json();
    if (answer.ok) return body;
    throw Object.assign(new Error(`${answer.status}: ${body.detail ?? answer.statusText}`), { final: answer.status < 500 });
  }
}

function notice(text) {
  byId("notice").textContent = text;
}

function draw(watch, view) {
  const course = watch.course;
  for (const plot of PLOTS) trace(plot, course, view);
  describe(view);
  byId("answers").textContent = course
    .slice(-SHOWN)
    .reverse()
    .map(({ at, answer }) => `${(at - course[0].at).toFixed(2)} s  ${JSON.stringify(answer)}`)
    .join("\n");
  const { answer, ...measures } = course.at(-1) ?? {};
  byId("measures").textContent = JSON.stringify(measures, null, 1);
}

/** Show the view of the challenge's judge. */
function describe({ judge }) {
  const rows = [];
  if (judge) {
    const amount = element("progress", { max: judge.needed, value: Math.max(0, judge.reached), "aria-label": "share of what is needed" });
    const rest = Object.entries(judge.neutral).map(([name, value]) => `${name} ${fine(value)}`);
    rows.push(
      ["challenge", `${judge.position + 1}: ${judge.challenge}`],
      ["reached", [amount, ` ${fine(judge.reached)} of ${fine(judge.needed)}`]],
      ["confidence", fine(judge.confidence)],
      ["met", judge.met ? "yes" : "no"],
      ["hint", judge.hint ? `${judge.hint.code}: ${judge.hint.text}` : "–"],
      ["neutral", rest.join(", ")],
    );
  } else {
    rows.push(["challenge", "no frame that can be judged yet"]);
  }
  byId("judge").querySelector("dl").replaceChildren(
    ...rows.flatMap(([name, what]) => [element("dt", {}, name), element("dd", {}, ...[what].flat())]),
  );
}

/** Show the findings of the judges of the evidence. */
function weigh({ findings }) {
  const cells = (finding) => [
    finding.code,
    finding.challenge === null ? "session" : String(finding.challenge + 1),
    fine(finding.score),
    finding.limit === null ? "not weighed" : String(finding.limit),
    finding.against ? "yes" : "no",
  ];
  byId("evidence").querySelector("tbody").replaceChildren(
    ...findings.map((finding) =>
      element("tr", finding.against ? { class: "against" } : {}, ...cells(finding).map((text) => element("td", {}, text))),
    ),
  );
}

function trace(plot, course, { challenges, judge }) {
  const drawing = byId(plot.id).querySelector("svg");
  if (!course.length) return drawing.replaceChildren();
  const origin = course[0].at;
  const until = Math.max(SPAN, course.at(-1).at - origin);
  const since = until - SPAN;
  const inside = course.filter(({ at }) => at - origin >= since);
  const values = inside.flatMap(({ face }) => (face ? Object.values(plot.curves).map((read) => read(face)) : []));
  const levels = judge ? plot.lines.map((challenge) => judge.lines[challenge]) : [];
  const [low, high] = [Math.min(plot.range[0], ...values, ...levels), Math.max(plot.range[1], ...values, ...levels)];
  const x = (at) => EDGE.left + ((at - origin - since) / SPAN) * (EDGE.right - EDGE.left);
  const y = (value) => EDGE.bottom - ((value - low) / (high - low)) * (EDGE.bottom - EDGE.top);
  const parts = [
    svg("rect", { class: "frame", x: EDGE.left, y: EDGE.top, width: EDGE.right - EDGE.left, height: EDGE.bottom - EDGE.top }),
    svg("text", { x: EDGE.left - 4, y: EDGE.top + 9, "text-anchor": "end" }, plot.say(high)),
    svg("text", { x: EDGE.left - 4, y: EDGE.bottom, "text-anchor": "end" }, plot.say(low)),
    svg("text", { x: EDGE.left - 4, y: HIGH - 5, "text-anchor": "end" }, `${since.toFixed(0)} s`),
    svg("text", { x: EDGE.right, y: HIGH - 5, "text-anchor": "end" }, `${until.toFixed(0)} s`),
  ];
  for (const { type, started_at: started } of challenges) {
    if (started === null || x(started) < EDGE.left || x(started) > EDGE.right) continue;
    parts.push(
      svg("line", { class: "moment", x1: x(started), x2: x(started), y1: EDGE.top, y2: EDGE.bottom }),
      svg("text", { x: Math.min(x(started), EDGE.right - 80), y: HIGH - 5 }, type),
    );
  }
  if (judge) {
    const level = (value, kind) => svg("line", { class: kind, x1: EDGE.left, x2: EDGE.right, y1: y(value), y2: y(value) });
    parts.push(level(plot.rest(judge.neutral), "neutral"));
    for (const challenge of plot.lines) {
      const now = challenge === judge.challenge ? " now" : "";
      parts.push(
        level(judge.lines[challenge], `need${now}`),
        svg("text", { class: now.trim(), x: EDGE.right - 4, y: y(judge.lines[challenge]) - 3, "text-anchor": "end" }, challenge),
      );
    }
  }
  Object.values(plot.curves).forEach((read, number) => {
    for (const piece of pieces(inside)) {
      const points = piece.map(({ at, face }) => `${x(at).toFixed(1)},${y(read(face)).toFixed(1)}`);
      parts.push(svg("polyline", { class: number ? "two" : "one", points: points.join(" ") }));
    }
  });
  drawing.replaceChildren(...parts);
}

/** The runs of frames with a face: a curve breaks at frames without one. */
function pieces(course) {
  const found = [[]];
  for (const frame of course) {
    if (frame.face) found.at(-1).push(frame);
    else if (found.at(-1).length) found.push([]);
  }
  return found.filter((piece) => piece.length);
}

function element(name, attributes, ...content) {
  return furnish(document.createElement(name), attributes, content);
}

function svg(name, attributes, ...content) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, content);
}

function furnish(made, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

let watched = null;

function watch(id) {
  if (watched) watched.over = true;
  weigh({ findings: [] });
  watched = new Watch(id, byId("key").value.trim());
  watched.run();
}

for (const plot of PLOTS) {
  const names = Object.keys(plot.curves);
  const legend = names.length > 1 ? names.map((name, number) => element("span", { class: number ? "two" : "one" }, name)) : [];
  byId("plots").append(
    element(
      "figure",
      { id: plot.id },
      element("figcaption", {}, element("span", {}, plot.title), ...legend),
      svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": plot.title }),
    ),
  );
}

const check = element("liveness-check", { restart: "" });
const asked = new URLSearchParams(location.search);
for (const [parameter, attribute] of Object.entries({ challenges: "challenges", timeout: "timeout-seconds", types: "types", exclude: "exclude", reveal: "reveal", preset: "preset" })) {
  if (asked.has(parameter)) check.setAttribute(attribute, asked.get(parameter));
}
check.addEventListener("liveness-session", ({ detail }) => {
  byId("session").value = detail.session.session_id;
  watch(detail.session.session_id);
});
byId("key").addEventListener("change", ({ target }) => check.setAttribute("token", target.value.trim()));
byId("watch").addEventListener("click", () => watch(byId("session").value.trim()));
byId("check").append(check);

const given = new URLSearchParams(location.hash.slice(1)).get("session");
if (given) {
  byId("session").value = given;
  watch(given);
}
