"use client";
/**
 * <LivenessCheck>: the element <liveness-check> as a React component, for React 18 and 19.
 *
 *   import { LivenessCheck } from "liveness-check/react";
 *   <LivenessCheck createSession={createSession} onComplete={next} />
 *
 * Importing and rendering this module on a server touches nothing of a browser: the element is loaded once the component is
 * mounted. Until then the component renders an empty <liveness-check>.
 */

import { createElement, forwardRef, useEffect, useImperativeHandle, useRef } from "react";

import { FLAGS, TEXTS } from "../attributes.js";
import { LivenessError } from "../errors.js";

const TAG = "liveness-check";

/** The attributes of the element by the names of the props. */
const ATTRIBUTES = {
  ...TEXTS,
  ...FLAGS,
  lang: "lang",
  className: "class", // React 18 would write an attribute `classname`
};

/** The events of the element by the names of the props. */
const EVENTS = {
  onSession: "liveness-session",
  onChallenge: "liveness-challenge",
  onHint: "liveness-hint",
  onPass: "liveness-passed",
  onWait: "liveness-waiting",
  onResume: "liveness-resumed",
  onInterrupt: "liveness-interrupted",
  onAnswer: "liveness-answer",
  onComplete: "liveness-completed",
  onFail: "liveness-failed",
  onError: "liveness-error",
  onCancel: "liveness-cancelled",
  onScreen: "liveness-screen",
};

/** The props that are properties of the element, with what the element has without them. */
const PROPERTIES = { createSession: null, messages: {}, browserSecret: null };

/** An attribute's value. React 18 writes true as text, and 19 knows it; undefined leaves the attribute out in both. */
function attribute(value) {
  if (value === true) return true;
  if (value === false || value === null || value === undefined) return undefined;
  return Array.isArray(value) ? value.join(",") : String(value);
}

export const LivenessCheck = forwardRef(function LivenessCheck(props, ref) {
  const element = useRef(null);
  useImperativeHandle(ref, () => element.current, []);

  // A check that is under way goes on when the component is rendered anew: it calls the handlers of the latest rendering.
  const latest = useRef(props);
  const own = useRef(new Set());
  useEffect(() => {
    latest.current = props;
    if (customElements.get(TAG)) configure(element.current, latest, own.current);
  });

  useEffect(() => {
    const node = element.current;
    let mounted = true;
    const listeners = Object.entries(EVENTS).map(([prop, kind]) => [
      kind,
      (event) => event.target === node && latest.current[prop]?.(event.detail, event),
    ]);
    for (const [kind, listener] of listeners) node.addEventListener(kind, listener);
    import("../element.js").then(
      () => mounted && configure(node, latest, own.current),
      (cause) => mounted && latest.current.onError?.({ error: new LivenessError("network", "The element cannot be loaded.", { cause }) }),
    );
    return () => {
      mounted = false;
      for (const [kind, listener] of listeners) node.removeEventListener(kind, listener);
    };
  }, []);

  const given = { ref: element };
  for (const [name, value] of Object.entries(props)) {
    if (name in ATTRIBUTES) given[ATTRIBUTES[name]] = attribute(value);
    else if (!(name in EVENTS) && !(name in PROPERTIES)) given[name] = value;
  }
  return createElement(TAG, given);
});

/** Give an element the properties of the latest rendering; `own` has the names of those that were ever given. */
function configure(node, latest, own) {
  for (const [name, usual] of Object.entries(PROPERTIES)) {
    const value = latest.current[name] ?? usual;
    if (value === usual && !own.has(name)) continue;
    own.add(name);
    // A function or object that each rendering makes anew is no change.
    if (typeof value === "function") node[name] = (...wishes) => latest.current[name](...wishes);
    else if (JSON.stringify(node[name]) !== JSON.stringify(value)) node[name] = value;
  }
}
