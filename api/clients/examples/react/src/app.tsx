import { useRef, useState } from "react";
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
  if (!answer.ok) throw new Error(`The server answers ${answer.status}`);
  return answer.json();
};

export function App() {
  const [open, setOpen] = useState(false);
  const [said, say] = useState("");
  const check = useRef<LivenessCheckElement>(null);

  return (
    <>
      <h1>Open an account</h1>
      <p role="status">{said}</p>
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
          onFail={() => say("Try again.")}
          onError={({ error }) => say(error.code)}
          // What a browser says about itself proves nothing: your server reads the verdict.
          onComplete={() => say("Thank you.")}
        />
      )}
    </>
  );
}
