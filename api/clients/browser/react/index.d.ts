import type { ForwardRefExoticComponent, HTMLAttributes, RefAttributes } from "react";

import type { LivenessCheckElement } from "../element.js";
import type { ChallengeType, CheckEvents, Preset } from "../index.js";

export type { LivenessCheckElement };

/** The element's events by the names of the props: a handler gets the event's detail, and the event. */
type Handlers = {
  onSession: CheckEvents["session"];
  onChallenge: CheckEvents["challenge"];
  onHint: CheckEvents["hint"];
  onPass: CheckEvents["passed"];
  onWait: CheckEvents["waiting"];
  onResume: CheckEvents["resumed"];
  /** The check begins again, because a challenge's time went by in a pause. */
  onInterrupt: { reason: "network" | "busy" | "background" | "left" };
  onAnswer: CheckEvents["answer"];
  /** The check is over; whether the person is live, your server asks the service. */
  onComplete: CheckEvents["completed"];
  onFail: CheckEvents["failed"];
  /** Something is in the way of the check; without an event if the element itself could not be loaded. */
  onError: CheckEvents["error"];
  onCancel: CheckEvents["cancelled"];
  onScreen: { screen: "intro" | "camera" | "done" | "failed" | "error" };
};

interface Own {
  /** The address of the API; by default /api/v1/liveness on the page's host. */
  api: string;
  /** A session that your server has created, and its token. */
  sessionId: string;
  token: string | null;
  /** Creates the session for each try, if your server does that. */
  createSession: LivenessCheckElement["createSession"];
  challenges: number;
  timeoutSeconds: number;
  types: readonly ChallengeType[] | string;
  exclude: readonly ChallengeType[] | string;
  reveal: "all" | "next";
  preset: Preset;
  lang: string;
  voice: boolean;
  restart: boolean;
  theme: "light";
  /** Words of your own, by the keys of locales/en.js. */
  messages: Record<string, string>;
  /** 22 to 128 random characters of A-Z a-z 0-9 _ -, which bind the token to this browser. */
  browserSecret: string | null;
}

type Given<Props> = { [Name in keyof Props]?: Props[Name] | undefined };

export type LivenessCheckProps = Given<Own> &
  Given<{ [Name in keyof Handlers]: (detail: Handlers[Name], event?: CustomEvent<Handlers[Name]>) => void }> &
  Pick<HTMLAttributes<LivenessCheckElement>, "className" | "id" | "style" | "title" | "hidden" | "role"> & {
    [name: `data-${string}` | `aria-${string}`]: unknown;
  };

/** The element `<liveness-check>` as a component; its ref is the element. */
export const LivenessCheck: ForwardRefExoticComponent<LivenessCheckProps & RefAttributes<LivenessCheckElement>>;
