/** The service's API, call by call: https://…/docs of a running service describes it. */

import { LivenessError } from "./errors.js";

/** Milliseconds until an answer is given up; longer than the service waits for its workers, so that its 503 arrives. */
const PATIENCE = 10_000;
/** Seconds to wait after a 503 or 429 that does not say how long. */
const USUAL_WAIT = 1;

export class Service {
  /**
   * @param {{api?: string, token?: string | null}} [options] api: where the API is, without a slash at its end; token:
   *   a session's token, or a key, sent as `Authorization: Bearer`.
   */
  constructor({ api = "/api/v1/liveness", token = null } = {}) {
    this.api = api.replace(/\/+$/, "");
    this.token = token;
  }

  /** Create a session. What is undefined or null is left to the service. */
  create({ challenges, timeoutSeconds, types, exclude, reveal, preset } = {}) {
    const query = new URLSearchParams();
    const given = {
      num_challenges: challenges,
      timeout_seconds: timeoutSeconds,
      challenge_types: types?.join(","),
      exclude: exclude?.join(","),
      reveal,
      preset,
    };
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
    }
    return this.#ask("POST", `/sessions?${query}`);
  }

  /** Look at a session. */
  look(id) {
    return this.#ask("GET", `/sessions/${encodeURIComponent(id)}`);
  }

  /** Submit a camera frame, a JPEG or PNG. */
  frame(id, picture, { signal } = {}) {
    const form = new FormData();
    form.append("image", picture, "frame.jpg");
    return this.#ask("POST", `/sessions/${encodeURIComponent(id)}/frame`, { body: form, signal });
  }

  /** Cancel a session; also while the page is being left. */
  cancel(id) {
    return this.#ask("DELETE", `/sessions/${encodeURIComponent(id)}`, { keepalive: true });
  }

  async #ask(method, path, { body, signal, keepalive } = {}) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), PATIENCE);
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
        headers: this.token ? { Authorization: `Bearer ${this.token}` } : {},
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
  // A request that took too long to come, or a balancer before a service that is away.
  if (status === 408 || status === 502 || status === 504) return new LivenessError("network", detail, more);
  if (status === 401 || status === 403) return new LivenessError("not_allowed", detail, more);
  if (status === 404 && answer?.code === "session_not_found") return new LivenessError("session_gone", detail, more);
  return new LivenessError("refused", detail, more);
}

/** Seconds, from a Retry-After of either form. */
function wait(header) {
  if (!header) return USUAL_WAIT;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const until = Date.parse(header);
  return Number.isNaN(until) ? USUAL_WAIT : Math.max(0, (until - Date.now()) / 1000);
}
