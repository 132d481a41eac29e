/**
 * The style sheet of the element. A host page changes it by custom properties (`--liveness-…`) and by parts (README.md).
 * Where a newer unit or function is used, the line before it is for browsers that do not know it, such as Safari 15.
 */

const CSS = `
:host {
  --ink: var(--liveness-ink, #16202c);
  --quiet: var(--liveness-quiet, #52606d);
  --paper: var(--liveness-paper, #ffffff);
  --soft: var(--liveness-soft, #eef3f8);
  --line: var(--liveness-line, #ccd5df);
  --accent: var(--liveness-accent, #1257b8);
  --on-accent: var(--liveness-on-accent, #ffffff);
  --good: var(--liveness-good, #12703b);
  --bad: var(--liveness-bad, #a8321c);
  --radius: var(--liveness-radius, 18px);
  color-scheme: light;
  display: block;
  container-type: inline-size;
  color: var(--ink);
  font-family: var(--liveness-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  font-size: 1rem;
  line-height: 1.45;
}
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) {
  :host(:not([theme="light"])) {
    --ink: var(--liveness-ink, #eef2f6);
    --quiet: var(--liveness-quiet, #aab6c3);
    --paper: var(--liveness-paper, #161c23);
    --soft: var(--liveness-soft, #202933);
    --line: var(--liveness-line, #3a4654);
    --accent: var(--liveness-accent, #8dbcff);
    --on-accent: var(--liveness-on-accent, #07182e);
    --good: var(--liveness-good, #6fd79c);
    --bad: var(--liveness-bad, #ffa28f);
    color-scheme: dark;
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.root { text-align: start; }
.screen { max-width: 34rem; margin-inline: auto; }
h2 { margin: 0; font-size: 1.8rem; font-size: clamp(1.5rem, 1.2rem + 1.6cqi, 2.1rem); line-height: 1.18; letter-spacing: -0.01em; text-wrap: balance; }
h2:focus { outline: none; }
p { margin: 0; }
.lead { margin-block-start: .5rem; color: var(--quiet); font-size: 1.1rem; text-wrap: pretty; }
.aside { margin-block-start: 1rem; color: var(--quiet); text-wrap: pretty; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

button, select { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: 8px; }
.button {
  display: inline-flex; align-items: center; justify-content: center; gap: .5rem;
  min-block-size: 3rem; padding: .7rem 1.5rem;
  border: 1.5px solid var(--line); border-radius: 999px; background: transparent; font-weight: 600;
  transition: background-color .15s, border-color .15s;
}
.button:hover { background: var(--soft); }
.button.primary { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-size: 1.1rem; min-inline-size: 10rem; }
.button.primary:hover { background: var(--accent); background: color-mix(in srgb, var(--accent) 88%, var(--ink)); }
.button:focus-visible { border-radius: 999px; }
.button[aria-disabled="true"] { border-color: var(--line); background: var(--soft); color: var(--quiet); cursor: default; }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-block-start: 1.6rem; }

/* The buttons stay in sight, however small the screen. */
.screen > .actions { position: sticky; inset-block-end: 0; margin-block: 1rem -.6rem; padding-block: .6rem; background: var(--paper); }

.steps { list-style: none; margin: 1.5rem 0 0; padding: 0; display: grid; gap: .9rem; }
.steps li { display: grid; grid-template-columns: 2.6rem 1fr; gap: .9rem; align-items: center; }
.steps svg { inline-size: 2.6rem; block-size: 2.6rem; padding: .55rem; border-radius: 50%; background: var(--soft); color: var(--accent); }
details { margin-block-start: 1.2rem; border: 1px solid var(--line); border-radius: 12px; }
summary { padding: .75rem 1rem; cursor: pointer; font-weight: 600; border-radius: 12px; }
fieldset { margin: 0; padding: 0 1rem 1rem; border: 0; display: grid; gap: .15rem; }
legend { padding: 0; margin-block-end: .4rem; color: var(--quiet); }
.choice { display: flex; gap: .7rem; align-items: center; min-block-size: 2.5rem; cursor: pointer; }
input[type="checkbox"] { inline-size: 1.25rem; block-size: 1.25rem; margin: 0; flex: none; accent-color: var(--accent); }
.voice { margin-block-start: .8rem; padding-inline: 1rem; }
.note { color: var(--bad); font-weight: 600; }
.note:not(:empty) { margin-block-start: .5rem; }

/* --- the camera ------------------------------------------------------------------------------------------------------ */
.camera { display: grid; gap: .9rem; max-width: 44rem; margin-inline: auto; }
.words { display: grid; gap: .35rem; align-content: center; justify-items: center; text-align: center; min-block-size: 5.6rem; }
.instruction { font-size: 1.7rem; font-size: clamp(1.55rem, 1.2rem + 2.6cqi, 2.4rem); font-weight: 700; line-height: 1.15; letter-spacing: -0.01em; text-wrap: balance; }
.hint { min-block-size: 1.6em; color: var(--quiet); font-size: 1.1rem; text-wrap: balance; }
.stage {
  position: relative; overflow: hidden; inline-size: 100%; margin-inline: auto;
  aspect-ratio: 4 / 3; max-block-size: clamp(13rem, 100vh - 21rem, 34rem); max-block-size: clamp(13rem, 100dvh - 21rem, 34rem);
  border-radius: var(--radius); background: #10151b; isolation: isolate; color: #fff;
}
video { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; object-fit: cover; transform: scaleX(-1); opacity: 0; transition: opacity .3s; }
.live video { opacity: 1; }
.oval {
  position: absolute; inset-block: 0; left: 50%; margin-block: auto; transform: translateX(-50%);
  block-size: 88%; block-size: min(88%, 116cqi); max-inline-size: 86%; aspect-ratio: 3 / 4; border-radius: 50%;
  box-shadow: 0 0 0 200vmax rgb(10 15 20 / .62);
}
.oval svg { position: absolute; inset: -3%; inline-size: 106%; block-size: 106%; overflow: visible; }
.track, .ring { fill: none; stroke-width: 7; }
.track { stroke: rgb(255 255 255 / .55); transition: stroke .25s; }
.ring { stroke: #7db4ff; stroke-linecap: round; stroke-dasharray: 100; opacity: 0; transition: stroke .25s; }
.ring.runs { opacity: 1; }
[data-mood="help"] .track { stroke: #ffc65c; stroke-dasharray: 3 2; }
[data-mood="good"] .track, [data-mood="good"] .ring { stroke: #58d68d; }
.pictogram { position: absolute; display: grid; place-items: center; inline-size: 4.2rem; inline-size: clamp(3.4rem, 15cqi, 5.2rem); aspect-ratio: 1; padding: .75rem; border-radius: 50%; background: #fff; color: #0f4c9e; box-shadow: 0 2px 14px rgb(0 0 0 / .35); }
.pictogram svg { inline-size: 100%; block-size: 100%; }
.pictogram[data-at="left"] { left: 4%; inset-block: 0; margin-block: auto; }
.pictogram[data-at="right"] { right: 4%; inset-block: 0; margin-block: auto; }
.pictogram[data-at="top"] { top: 3%; left: 50%; transform: translateX(-50%); }
.pictogram[data-at="bottom"] { bottom: 3%; left: 50%; transform: translateX(-50%); }
.pictogram[data-mood="good"] { background: #12703b; color: #fff; }
.pictogram[data-go="left"] svg { animation: left 1.3s ease-in-out infinite; }
.pictogram[data-go="right"] svg { animation: right 1.3s ease-in-out infinite; }
.pictogram[data-go="up"] svg { animation: up 1.3s ease-in-out infinite; }
.pictogram[data-go="down"] svg { animation: down 1.3s ease-in-out infinite; }
@keyframes left { 50% { transform: translateX(-12%); } }
@keyframes right { 50% { transform: translateX(12%); } }
@keyframes up { 50% { transform: translateY(-12%); } }
@keyframes down { 50% { transform: translateY(12%); } }
.waiting { position: absolute; inset-inline: 0; inset-block-start: 50%; transform: translateY(-50%); margin-inline: auto; inline-size: fit-content; max-inline-size: 88%; padding: .8rem 1.2rem; border-radius: 12px; background: rgb(10 15 20 / .88); font-weight: 600; text-align: center; }
.below { display: flex; align-items: center; justify-content: space-between; gap: .75rem; flex-wrap: wrap; }
.dots { display: flex; gap: .55rem; }
.dots span { display: grid; place-items: center; inline-size: 1.7rem; block-size: 1.7rem; border: 2px solid var(--line); border-radius: 50%; color: transparent; transition: background-color .25s, border-color .25s; }
.dots svg { inline-size: 1.15rem; block-size: 1.15rem; }
.dots .now { border-color: var(--accent); border-width: 3px; }
.dots .done { border-color: var(--good); background: var(--good); color: var(--paper); }
select { min-block-size: 2.75rem; max-inline-size: 14rem; padding: .4rem .7rem; border: 1.5px solid var(--line); border-radius: 10px; background: var(--paper); text-overflow: ellipsis; }

/* --- the outcome ----------------------------------------------------------------------------------------------------- */
.badge { display: grid; place-items: center; inline-size: 4.5rem; block-size: 4.5rem; margin-block-end: 1.2rem; padding: 1rem; border-radius: 50%; background: var(--good); color: var(--paper); }
.badge svg { inline-size: 100%; }
.badge.bad { background: var(--soft); color: var(--bad); }
.tips { margin-block-start: 1.3rem; padding: 1rem 1.2rem; border-radius: 12px; background: var(--soft); }
.tips h3 { margin: 0 0 .4rem; font-size: 1rem; }
.tips ul { margin: 0; padding-inline-start: 1.2rem; }

/* A narrow stage has portrait format, as a phone does; without container queries, one on a narrow screen. */
@container (max-width: 30rem) {
  .stage { aspect-ratio: 3 / 4; max-block-size: clamp(13rem, 100dvh - 12.5rem, 40rem); }
  .words { min-block-size: 6.2rem; }
  .actions .button { flex: 1 1 auto; }
}
@supports not (container-type: inline-size) {
  @media (max-width: 30rem) and (orientation: portrait) {
    .stage { aspect-ratio: 3 / 4; max-block-size: clamp(13rem, 100vh - 12.5rem, 40rem); }
    .words { min-block-size: 6.2rem; }
    .actions .button { flex: 1 1 auto; }
  }
}
/* A phone in landscape: words beside the picture. */
@media (max-height: 34rem) and (orientation: landscape) {
  .camera { grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); max-width: none; column-gap: 1.4rem; }
  .stage { grid-row: 1 / span 2; max-block-size: none; aspect-ratio: auto; block-size: calc(100vh - 2.5rem); block-size: calc(100dvh - 2.5rem); min-block-size: 13rem; }
  .words { justify-items: start; text-align: start; align-content: end; min-block-size: 0; }
  .below { align-content: end; align-items: end; }
  .instruction { font-size: 1.5rem; font-size: clamp(1.3rem, 1rem + 2.2cqi, 1.9rem); }
  .pictogram { inline-size: 3.2rem; padding: .6rem; }
}
@media (prefers-reduced-motion: reduce) {
  *, *::before, *::after { animation: none !important; transition: none !important; }
}
@media (forced-colors: active) {
  .button.primary, .dots .done, .badge { border: 2px solid ButtonText; }
}
`;

let shared = null;

/**
 * Give a shadow root the style sheet. Constructed by a script, one sheet serves all elements of a page, and a
 * Content-Security-Policy without 'unsafe-inline' allows it. Browsers that cannot construct one (Safari before 16.4) get a
 * style element, which such a policy must allow by its hash, as that of the service's own page does.
 */
export function dress(root) {
  try {
    if (!("adoptedStyleSheets" in root)) throw new TypeError("no adoptedStyleSheets");
    if (!shared) {
      shared = new CSSStyleSheet();
      shared.replaceSync(CSS);
    }
    root.adoptedStyleSheets = [shared];
  } catch {
    shared = null;
    root.append(Object.assign(document.createElement("style"), { textContent: CSS }));
  }
}
