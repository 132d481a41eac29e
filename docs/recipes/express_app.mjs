/** A relying party in Express: the webhook's signature by hand, the signed verdict with jose. `node express_app.mjs`. */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

import express from "express";
import { createRemoteJWKSet, jwtVerify } from "jose";

const SERVICE = process.env.LIVENESS_URL; // https://liveness.example.org
const KEY = process.env.LIVENESS_KEY; // ops/keys create --policy "preset=standard.. num_challenges=3.."
const SECRET = Buffer.from(process.env.LIVENESS_WEBHOOK_SECRET.trim().replace(/^whsec_/, ""), "base64");
const ISSUER = process.env.LIVENESS_ISSUER ?? "liveness"; // the service's setting ISSUER
const OURSELVES = "https://bank.example.org";
if (SECRET.length < 24) throw new Error("LIVENESS_WEBHOOK_SECRET is no secret of a webhook");

const PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A check</title>
<script type="module" src="${SERVICE}/web/client/element.js"></script>
<liveness-check api="${SERVICE}/api/v1/liveness" challenges="3"></liveness-check>
<script type="module">
  const check = document.querySelector("liveness-check");
  let session;
  check.createSession = async (wishes) => {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/session", { method: "POST", headers, body: JSON.stringify(wishes) });
    if (answer.ok) return (session = await answer.json());
    throw { code: answer.status === 503 ? "busy" : "refused", retryAfter: Number(answer.headers.get("Retry-After")) };
  };
  check.addEventListener("liveness-completed", () => location.assign("/result/" + session.session_id));
</script></html>`;

const app = express();
const keys = createRemoteJWKSet(new URL(`${SERVICE}/.well-known/jwks.json`), { cacheMaxAge: 300_000, cooldownDuration: 10_000 });
const checks = new Map(); // session id → { account, nonce }; your database
const ended = new Map(); // session id → event that ended it; your database

/** Who is logged in: yours to fill in. */
const account = () => "account-7";

/** The service's answer to a call with the server's key; throws { status, code, wait } for any other than a success. */
async function ask(method, path) {
  const asked = { method, headers: { Authorization: `Bearer ${KEY}` }, signal: AbortSignal.timeout(15_000) };
  const answer = await fetch(`${SERVICE}/api/v1/liveness${path}`, asked).catch(() => null);
  const body = await answer?.json().catch(() => null);
  if (answer?.ok && body) return body;
  if (!body || [408, 429, 503].includes(answer.status)) {
    const wait = Number(answer?.headers.get("Retry-After") ?? 5);
    throw { status: 503, code: "busy", wait: Number.isFinite(wait) ? wait : 5 }; // nothing answers, or too many ask
  }
  // 404: the session was cancelled; 422: the policy forbids what is asked for
  throw { status: answer.status === 404 ? 404 : 502, code: body.code };
}

/** The event of a webhook's call, or null unless the service signed it in the last five minutes. */
function eventOf(request) {
  const [id, at, signatures] = ["id", "timestamp", "signature"].map((name) => request.get(`webhook-${name}`) ?? "");
  if (!/^\d{1,12}$/.test(at) || Math.abs(Date.now() / 1000 - Number(at)) > 300) return null;
  const expected = createHmac("sha256", SECRET).update(`${id}.${at}.`).update(request.body).digest();
  const signed = signatures.split(" ").some((one) => {
    const given = one.startsWith("v1,") ? Buffer.from(one.slice(3), "base64") : Buffer.alloc(0);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
  return signed ? JSON.parse(request.body) : null;
}

app.get("/", (request, response) => response.send(PAGE));

// Creates a session with the server's key; the browser gets the token of this session only.
app.post("/session", express.json(), async (request, response) => {
  const nonce = randomBytes(16).toString("base64url"); // the signed verdict repeats it
  const kind = { num_challenges: 3, timeout_seconds: 10, reveal: "next", sequence: "required" };
  const query = new URLSearchParams({ ...kind, subject: account(), nonce, token: true });
  if (request.body.exclude?.length) query.set("exclude", request.body.exclude.join()); // what the person cannot do
  const session = await ask("POST", `/sessions?${query}`);
  checks.set(session.session_id, { account: account(), nonce });
  response.json({ session_id: session.session_id, token: session.token });
});

// Takes an event; it may come twice, and before or after the browser's own request.
app.post("/webhook", express.raw({ type: () => true }), (request, response) => {
  const event = eventOf(request);
  if (!event) return response.status(401).json({ error: "bad_signature" });
  ended.set(event.subject, event);
  response.sendStatus(204);
});

// Fetches the verdict that the service signs for us, and checks it.
app.get("/result/:id", async (request, response) => {
  const { id } = request.params;
  const check = checks.get(id);
  if (check?.account !== account()) return response.status(404).json({ error: "not_found" });
  const { state } = await ask("GET", `/sessions/${id}`);
  if (state === "pending" || state === "in_progress") return response.status(409).json({ error: "not_ended" });
  let live = false;
  if (state === "completed") { // only then there is a verdict to sign
    const { verdict } = await ask("GET", `/sessions/${id}/verdict?audience=${encodeURIComponent(OURSELVES)}`);
    const expected = { algorithms: ["ES256"], typ: "liveness-verdict+jwt", issuer: ISSUER, audience: OURSELVES, subject: id };
    const { payload } = await jwtVerify(verdict, keys, expected);
    live = payload.is_live === true && payload.nonce === check.nonce && payload.challenges.length >= 3;
  }
  response.json({ live, state, told: ended.has(id) });
});

app.use((error, request, response, next) => {
  if (error.wait !== undefined) response.set("Retry-After", String(Math.ceil(error.wait)));
  response.status(error.status ?? 502).json({ error: error.code ?? "internal_error" });
});

app.listen(Number(process.env.PORT ?? 5000), "127.0.0.1");
