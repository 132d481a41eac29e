import type { ChallengeType, CheckEvents, Preset, Session } from "./index.js";

/** `<liveness-check>`; attributes: api, session-id, token, challenges, timeout-seconds, types, exclude, reveal, preset, lang, voice, restart, theme. */
export class LivenessCheckElement extends HTMLElement {
  /** Creates the session for each try, if your server does that. */
  createSession: ((wishes: { exclude: ChallengeType[] }) => Promise<Partial<Session> & { session_id: string; token?: string }>) | null;
  /** Words of your own, by the keys of locales/en.js. */
  messages: Record<string, string>;
  /** 22 to 128 random characters of A-Z a-z 0-9 _ -, which bind the token to this browser. */
  browserSecret: string | null;
  /** Properties that reflect the attributes of these names; null or undefined takes the attribute away. */
  get api(): string | null;
  set api(value: string | null | undefined);
  get sessionId(): string | null;
  set sessionId(value: string | null | undefined);
  get token(): string | null;
  set token(value: string | null | undefined);
  get challenges(): string | null;
  set challenges(value: number | string | null | undefined);
  get timeoutSeconds(): string | null;
  set timeoutSeconds(value: number | string | null | undefined);
  get types(): string | null;
  set types(value: readonly ChallengeType[] | string | null | undefined);
  get exclude(): string | null;
  set exclude(value: readonly ChallengeType[] | string | null | undefined);
  get reveal(): string | null;
  set reveal(value: "all" | "next" | null | undefined);
  get preset(): string | null;
  set preset(value: Preset | null | undefined);
  get theme(): string | null;
  set theme(value: string | null | undefined);
  voice: boolean;
  restart: boolean;
  /** Begin, as the button does; a check that is under way goes on. */
  start(): void;
  /** Cancel the check and go back to the first screen. */
  cancel(): void;
}

type Forwarded =
  | "session"
  | "challenge"
  | "hint"
  | "passed"
  | "waiting"
  | "resumed"
  | "interrupted"
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
