/** Types of the library; check.js, service.js, camera.js and errors.js explain them. */

import type { ChallengeType, Preset, ProblemCode, State } from "./codes.js";

export type { ChallengeType, Preset, ProblemCode, State };

/** Answers of the service. A later version may add fields. */
export interface Challenge {
  type: ChallengeType;
  instruction: string;
  timeout_seconds: number;
}
export interface Session {
  session_id: string;
  state: State;
  challenges: Challenge[];
  is_live?: boolean | null;
}
export interface Hint {
  code: string;
  text: string;
}
/** The middle and the size of the face, as fractions of the picture's width and height. */
export interface Framing {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface FrameAnswer {
  session_id: string;
  challenge_type: ChallengeType | null;
  passed: boolean;
  confidence: number;
  challenges_remaining: number;
  session_complete: boolean;
  is_live: boolean | null;
  state: State;
  hint?: Hint | null;
  challenge?: Challenge | null;
  face?: Framing | null;
  /** With sequence=required: to be carried by the next frames. */
  nonce?: string;
}

export type ErrorCode =
  | "insecure_context"
  | "unsupported"
  | "camera_denied"
  | "camera_missing"
  | "camera_busy"
  | "camera_lost"
  | "camera_frozen"
  | "camera_slow"
  | "pixels_withheld"
  | "network"
  | "busy"
  | "not_allowed"
  | "session_gone"
  | "expired"
  | "interrupted"
  | "refused";

export class LivenessError extends Error {
  readonly code: ErrorCode;
  readonly status?: number;
  /** A ProblemCode; from a later version of the service perhaps another. */
  readonly problem?: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
  constructor(
    code: ErrorCode,
    detail?: string,
    more?: { status?: number; problem?: string; retryAfter?: number; cause?: unknown },
  );
}

export interface CreateOptions {
  challenges?: number;
  timeoutSeconds?: number;
  types?: ChallengeType[];
  exclude?: ChallengeType[];
  reveal?: "all" | "next";
  preset?: Preset;
  sequence?: "off" | "required";
}

export class Service {
  readonly api: string;
  token: string | null;
  browserSecret: string | null;
  constructor(options?: { api?: string; token?: string | null; browserSecret?: string | null });
  create(options?: CreateOptions): Promise<Session>;
  look(id: string): Promise<Session>;
  frame(id: string, picture: Blob, options?: { signal?: AbortSignal; nonces?: string[]; camera?: string | null }): Promise<FrameAnswer>;
  cancel(id: string): Promise<{ cancelled: string }>;
}

export function openCamera(options?: { deviceId?: string | null }): Promise<MediaStream>;
export function listCameras(): Promise<{ id: string; label: string }[]>;

export interface CheckOptions extends CreateOptions {
  api?: string;
  token?: string | null;
  browserSecret?: string | null;
  /** A session that your server has created; at least its session_id. */
  session?: (Pick<Session, "session_id"> & Partial<Session>) | null;
  /** Creates a session once the camera is open, and each time that the check begins again. */
  createSession?: (() => Promise<Pick<Session, "session_id"> & Partial<Session> & { token?: string | null }>) | null;
  deviceId?: string | null;
  /** A stream in place of a camera; the check does not close it. */
  stream?: MediaStream;
}

export interface Asked {
  type: ChallengeType;
  instruction: string;
  timeoutSeconds: number | null;
  /** 0 for the first. */
  index: number;
  total: number;
}

/** The details of the events. Exactly one of `completed`, `failed`, `error` and `cancelled` ends a check. */
export interface CheckEvents {
  phase: { phase: "opening" | "ready" | "running" | "ended" };
  session: { session: Session };
  challenge: Asked;
  clock: { type: ChallengeType; seconds: number };
  hint: (Hint & { type: ChallengeType | null }) | null;
  face: { face: Framing | null; hint: Hint | null };
  passed: { type: ChallengeType; confidence: number; index: number; total: number };
  waiting: { reason: "network" | "busy" | "background"; seconds: number | null };
  resumed: null;
  /** A challenge's time went by in a pause: the check begins again, or ends with an error if it was given a session. */
  interrupted: { reason: "network" | "busy" | "background" | "left" };
  answer: { answer: FrameAnswer; milliseconds: number };
  completed: { isLive: boolean | null };
  failed: { reason: "timed_out" | "not_met" };
  error: { error: LivenessError };
  cancelled: null;
}

export class LivenessCheck extends EventTarget {
  constructor(options?: CheckOptions);
  readonly session: Session | null;
  readonly total: number;
  readonly phase: "idle" | "opening" | "ready" | "running" | "ended";
  readonly ended: boolean;
  start(video: HTMLVideoElement): Promise<void>;
  cancel(): void;
  addEventListener<K extends keyof CheckEvents>(
    type: K,
    listener: (event: CustomEvent<CheckEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
