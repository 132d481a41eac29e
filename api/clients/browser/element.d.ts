import type { ChallengeType, CheckEvents, Session } from "./index.js";

/** `<liveness-check>`; attributes: api, session-id, token, challenges, timeout-seconds, types, exclude, reveal, preset, lang, voice, restart, theme. */
export class LivenessCheckElement extends HTMLElement {
  /** Creates the session for each try, if your server does that. */
  createSession: ((wishes: { exclude: ChallengeType[] }) => Promise<Partial<Session> & { session_id: string; token?: string }>) | null;
  /** Words of your own, by the keys of locales/en.js. */
  messages: Record<string, string>;
  /** 22 to 128 random characters of A-Z a-z 0-9 _ -, which bind the token to this browser. */
  browserSecret: string | null;
  start(): void;
  cancel(): void;
}

type Forwarded =
  | "session"
  | "challenge"
  | "hint"
  | "passed"
  | "waiting"
  | "resumed"
  | "answer"
  | "completed"
  | "failed"
  | "error"
  | "cancelled";

/** The element's events: those of its check, as `liveness-…`, and one for each screen that it shows. */
type LivenessEvents = { [K in Forwarded as `liveness-${K}`]: CustomEvent<CheckEvents[K]> } & {
  "liveness-screen": CustomEvent<{ screen: "intro" | "camera" | "done" | "failed" | "error" }>;
};

declare global {
  interface HTMLElementTagNameMap {
    "liveness-check": LivenessCheckElement;
  }
  interface HTMLElementEventMap extends LivenessEvents {}
}
