import { useReducer, useRef, useState } from "react";
import { LivenessError } from "liveness-check";
import { LivenessCheck, type LivenessCheckElement, type LivenessCheckProps } from "liveness-check/react";

/** Where the service is. Its CORS_ORIGINS names this page's origin. */
const API = import.meta.env.VITE_LIVENESS_API ?? "http://localhost:8000/api/v1/liveness";

/** Your server creates the session with its key (docs/recipes), and hands on its id and token. */
const createSession: LivenessCheckProps["createSession"] = async ({ exclude }) => {
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ exclude }),
  });
  if (!answer.ok) {
    const retryAfter = Number(answer.headers.get("Retry-After"));
    throw new LivenessError(answer.status === 503 ? "busy" : "refused", await answer.text(), { retryAfter });
  }
  return answer.json();
};

export function App() {
  const [open, setOpen] = useState(false);
  const [said, say] = useReducer((before: string[], now: string) => [...before, now], []);
  const check = useRef<LivenessCheckElement>(null);

  return (
    <>
      <h1>Open an account</h1>
      <p role="status">{said.join(", ")}</p>
      <button onClick={() => setOpen(!open)}>{open ? "Not now" : "Show that you are there"}</button>
      {open && <button onClick={() => check.current?.start()}>Begin at once</button>}
      {open && (
        <LivenessCheck
          ref={check}
          className="check"
          api={API}
          createSession={createSession}
          challenges={2}
          onChallenge={({ index, total }) => say(`${index + 1} of ${total}`)}
          onFail={() => say("try again")}
          onError={({ error }) => say(error.code)}
          // What a browser says about itself proves nothing: your server reads the verdict.
          onComplete={() => say(`thank you after ${said.length} steps`)}
        />
      )}
    </>
  );
}
