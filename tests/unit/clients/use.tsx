/** How a TypeScript program uses the package: the compiler takes each line, and refuses those after "@ts-expect-error". */

import { LivenessCheck as Check, LivenessError, Service, type FrameAnswer } from "liveness-check";
import { LivenessCheckElement } from "liveness-check/element";
import { choose, LANGUAGES } from "liveness-check/language";
import { LivenessCheck } from "liveness-check/react";
import { createRef } from "react";

const element = document.querySelector("liveness-check");
element?.start();
element?.addEventListener("liveness-completed", ({ detail }) => {
  const live: boolean | null = detail.isLive;
  // @ts-expect-error - there is no such detail
  return [live, detail.live];
});
document.createElement("liveness-check").createSession = async ({ exclude }) => ({ session_id: exclude.join() });
export const isElement = (node: Node): node is LivenessCheckElement => node instanceof LivenessCheckElement;

export async function library(video: HTMLVideoElement): Promise<FrameAnswer | undefined> {
  const check = new Check({ api: "/api", challenges: 2, types: ["BLINK"], session: { session_id: "s" } });
  check.addEventListener("failed", ({ detail }) => detail.reason === "timed_out");
  // @ts-expect-error - no such challenge
  new Check({ types: ["WINK"] });
  try {
    await check.start(video);
    return await new Service({ token: "t" }).frame("s", new Blob());
  } catch (error) {
    if (error instanceof LivenessError && error.code === "busy") console.log(error.retryAfter, choose(["de"]), LANGUAGES);
  }
}

const ref = createRef<LivenessCheckElement>();
export const used = (
  <LivenessCheck
    ref={ref}
    api="https://liveness.example.org/api/v1/liveness"
    challenges={3}
    types={["BLINK", "SMILE"]}
    exclude="SMILE"
    reveal="next"
    voice
    className="check"
    style={{ margin: 0 }}
    data-testid="check"
    aria-label="A check"
    createSession={async ({ exclude }) => ({ session_id: exclude[0] ?? "s", token: "t" })}
    onComplete={({ isLive }) => isLive === true}
    onFail={({ reason }) => reason === "not_met"}
    onError={({ error }) => error.code === "camera_denied"}
    onPass={({ type, index, total }, event) => [type, index + total, event?.type]}
    onScreen={({ screen }) => screen === "done"}
  />
);
// @ts-expect-error - a handler gets the event's detail
export const wrong = <LivenessCheck onComplete={({ live }) => live} />;
// @ts-expect-error - no such preset
export const strange = <LivenessCheck preset="harsh" />;
// @ts-expect-error - no such prop
export const misspelt = <LivenessCheck challenge={3} />;
