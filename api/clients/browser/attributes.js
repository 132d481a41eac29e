/** The attributes of <liveness-check> by the names of the properties that reflect them. */

/** Attributes that hold a text. */
export const TEXTS = {
  api: "api",
  sessionId: "session-id",
  token: "token",
  challenges: "challenges",
  timeoutSeconds: "timeout-seconds",
  types: "types",
  exclude: "exclude",
  reveal: "reveal",
  preset: "preset",
  theme: "theme",
};

/** Attributes that are there or not. */
export const FLAGS = { voice: "voice", restart: "restart" };
