/** The calls of the service's API, which /docs of a running service describes. */

import { LivenessError } from "./errors.js";

/** Milliseconds to wait for an answer; more than the service waits for its workers, so that its 503 arrives. */
const ANSWER_WITHIN = 10_000;
/** Seconds to wait after a 503 or 429 without a Retry-After. */
const USUAL_WAIT = 1;

/** Where the service itself serves this file: what comes before is the path below which a proxy serves the service. */
const SERVED_AT = /^(https?:\/\/[^/]+)(.*)\/web\/(?:~\w+\/)?client\/service\.js$/;

/** The address of the API on the page's own host. */
function usual() {
  const served = SERVED_AT.exec(String(import.meta.url));
  const path = served && served[1] === globalThis.location?.origin ? served[2] : "";
  return `${path}/api/v1/liveness`;
}

export class Service {
  /**
   * @param {{api?: string, token?: string | null, browserSecret?: string | null}} [options] api: the address of the API;
   *   token: a session's token, or an API key, sent as `Authorization: Bearer`; browserSecret: 22 to 128 random characters
   *   of A-Z a-z 0-9 _ -, which bind the token to this browser.
   */
  constructor({ api = usual(), token = null, browserSecret = null } = {}) {
    this.api = api.replace(/\/+$/, "");
    this.token = token;
    this.browserSecret = browserSecret;
  }

  /** Create a session. The service chooses every option that is undefined or null. */
  create({ challenges, timeoutSeconds, types, exclude, reveal, preset, sequence } = {}) {
    const query = new URLSearchParams();
    const given = {
      num_challenges: challenges,
      timeout_seconds: timeoutSeconds,
      challenge_types: types?.join(","),
      exclude: exclude?.join(","),
      reveal,
      preset,
      sequence,
    };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
    }
    return this.#ask("POST", `/sessions?${query}`);
  }

  /** Get a session. */
  look(id) {
    return this.#ask("GET", `/sessions/${encodeURIComponent(id)}`);
  }

  /** Submit a camera frame, a JPEG or PNG. nonces: those of the latest answers to the session's frames; camera: a report about it. */
  frame(id, picture, { signal, nonces = [], camera = null } = {}) {
    const form = new FormData();
    form.append("image", picture, "frame.jpg");
    if (camera) form.append("camera", camera);
    const query = nonces.length ? `?nonces=${nonces.join(",")}` : "";
    return this.#ask("POST", `/sessions/${encodeURIComponent(id)}/frame${query}`, { body: form, signal });
  }

  /** Cancel a session; works while the page is being left, too. */
  cancel(id) {
    return this.#ask("DELETE", `/sessions/${encodeURIComponent(id)}`, { keepalive: true });
  }

  async #ask(method, path, { body, signal, keepalive } = {}) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_WITHIN);
    const abort = () => late.abort();
    signal?.addEventListener("abort", abort);
    try {
      const response = await fetch(this.api + path, {
        method,
        body,
        keepalive,
        signal: late.signal,
        cache: "no-store",
        credentials: "same-origin",
        headers: {
          ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}),
          ...(this.browserSecret ? { "Liveness-Browser": this.browserSecret } : {}),
        },
      });
      const answer = await response.json().catch(() => null);
      if (!response.ok) throw problem(response, answer);
      if (answer === null) throw new LivenessError("network", `No liveness service answers at ${this.api}.`);
      return answer;
    } catch (error) {
      if (error instanceof LivenessError) throw error;
      throw new LivenessError("network", `The service at ${this.api} cannot be reached.`, { cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

function problem(response, answer) {
  const { status } = response;
  const more = { status, problem: answer?.code };
  const detail = answer?.detail ?? answer?.title ?? `HTTP status ${status}`;
  if (status === 503 || status === 429) {
    return new LivenessError("busy", detail, { ...more, retryAfter: wait(response.headers.get("Retry-After")) });
  }
  // The request was too slow to arrive, or a balancer stands before a service that is away.
  if (status === 408 || status === 502 || status === 504) return new LivenessError("network", detail, more);
  if (status === 401 || status === 403) return new LivenessError("not_allowed", detail, more);
  if (status === 404 && answer?.code === "session_not_found") return new LivenessError("session_gone", detail, more);
  return new LivenessError("refused", detail, more);
}

/** The seconds of a Retry-After, which holds seconds or a date. */
function wait(header) {
  if (!header) return USUAL_WAIT;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const until = Date.parse(header);
  return Number.isNaN(until) ? USUAL_WAIT : Math.max(0, (until - Date.now()) / 1000);
}
