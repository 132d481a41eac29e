/**
 * The page at `/`. Its address may hold options:
 *
 *   ?challenges=3 &timeout=10 &types=SMILE,BLINK &exclude=… &reveal=all &lang=de &voice
 *   #session=ID&token=TOKEN   a session that your server created; after the #, so that no server logs it
 *
 * The token is taken out of the address at once, and bound to this browser: the page makes a secret for the session and
 * sends it with each request. Another browser that is given the link is refused.
 */

import { tellApp } from "./app.js";
import "./client/element.js";
import { choose, LANGUAGES, preferred, Words } from "./client/language.js";
import { Service } from "./client/service.js";
import { takeLink } from "./link.js";

/** Milliseconds that the page waits for the asker's name before it shows the check without it. */
const NAME_WITHIN = 2000;

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
const link = takeLink();
const asker = document.querySelector("#asker");
let askedBy = asker.dataset.name;

for (const [parameter, attribute] of Object.entries(ATTRIBUTES)) {
  if (asked.has(parameter)) element.setAttribute(attribute, asked.get(parameter));
}
if (link) {
  element.setAttribute("session-id", link.session);
  if (link.token) element.setAttribute("token", link.token);
  element.browserSecret = link.secret;
}
tellApp(element);

/** The name of the party that asks for the check; bound is the token as well, before anybody else may use it. */
async function learnAsker() {
  if (!link) return;
  const service = new Service({ token: link.token, browserSecret: link.secret });
  const session = await service.look(link.session).catch(() => null); // the check itself says what is wrong
  askedBy = session?.relying_party ?? askedBy;
}

function tellAsker(words) {
  const text = askedBy ? words.say("intro.asker", { name: askedBy }) : "";
  if (asker.textContent !== text) asker.textContent = text; // it is read out when it changes
  asker.hidden = !askedBy;
}

async function speak(code) {
  const words = await Words.of(code);
  if (languages.value !== code) return; // another one was chosen meanwhile
  document.documentElement.lang = code;
  document.documentElement.dir = words.dir;
  document.title = document.querySelector("h1").textContent = words.say("intro.title");
  element.setAttribute("lang", code);
  tellAsker(words);
}

const language = choose([asked.get("lang"), ...preferred()]);
languages.replaceChildren(...Object.entries(LANGUAGES).map(([code, name]) => new Option(name, code, false, code === language)));
languages.addEventListener("change", () => speak(languages.value));
element.addEventListener("liveness-screen", ({ detail }) => document.body.classList.toggle("busy", detail.screen === "camera"));
addEventListener("hashchange", () => location.reload()); // another link in the same tab
const learnt = learnAsker();
await Promise.race([learnt, new Promise((resolve) => setTimeout(resolve, NAME_WITHIN))]);
// The element is added only now, so that English does not flash up before another language.
await speak(language);
element.setAttribute("restart", "");
document.querySelector("#late").remove();
document.querySelector("main").append(element);
await learnt;
tellAsker(await Words.of(languages.value));
