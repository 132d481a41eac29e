/**
 * The page at `/`. Its address may hold options:
 *
 *   ?challenges=3 &timeout=10 &types=SMILE,BLINK &exclude=… &reveal=all &lang=de &voice
 *   #session=ID&token=TOKEN   a session that your server created; after the #, so that no server logs it
 */

import "./client/element.js";
import { choose, LANGUAGES, Words } from "./client/language.js";

const ATTRIBUTES = {
  challenges: "challenges",
  timeout: "timeout-seconds",
  types: "types",
  exclude: "exclude",
  reveal: "reveal",
  preset: "preset",
  voice: "voice",
};

const element = document.createElement("liveness-check");
const languages = document.querySelector("select");
const asked = new URLSearchParams(location.search);
const secret = new URLSearchParams(location.hash.slice(1));

for (const [parameter, attribute] of Object.entries(ATTRIBUTES)) {
  if (asked.has(parameter)) element.setAttribute(attribute, asked.get(parameter));
}
if (secret.has("session")) element.setAttribute("session-id", secret.get("session"));
if (secret.has("token")) element.setAttribute("token", secret.get("token"));

async function speak(code) {
  const words = await Words.of(code);
  document.documentElement.lang = code;
  document.documentElement.dir = words.dir;
  document.title = document.querySelector("h1").textContent = words.say("intro.title");
  element.setAttribute("lang", code);
}

const language = choose([asked.get("lang"), ...navigator.languages]);
languages.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code, false, code === language)));
languages.addEventListener("change", () => speak(languages.value));
element.addEventListener("liveness-screen", ({ detail }) => document.body.classList.toggle("busy", detail.screen === "camera"));
// The element is added only now, so that English does not flash up before another language.
await speak(language);
element.setAttribute("restart", "");
document.querySelector("main").append(element);
