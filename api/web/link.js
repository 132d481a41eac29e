/**
 * The session of a link, `#session=ID&token=TOKEN`, and this browser's secret for it.
 *
 * The link leaves the address, so that it is not copied with it; the history entry keeps it for a reload. The secret stays
 * in the browser's storage for a day, so that the link works again in another tab of the same browser.
 */

const PREFIX = "liveness-check:";
/** Milliseconds for which a secret is kept; no session lives longer. */
const KEPT_FOR = 24 * 3600 * 1000;

/** @returns {{session: string, token: string | null, secret: string} | null} */
export function takeLink() {
  const given = new URLSearchParams(location.hash.slice(1));
  const kept = history.state?.link ?? null;
  if (!given.has("session") && !kept) return null;
  const link = given.has("session") ? { session: given.get("session"), token: given.get("token") } : kept;
  link.secret ??= secretFor(link.session);
  history.replaceState({ ...history.state, link }, "", location.pathname + location.search);
  return link;
}

function secretFor(session) {
  const fresh = { secret: random(), until: Date.now() + KEPT_FOR };
  try {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && !(JSON.parse(localStorage.getItem(name))?.until > Date.now())) localStorage.removeItem(name);
    }
    const kept = localStorage.getItem(PREFIX + session);
    if (kept) return JSON.parse(kept).secret;
    localStorage.setItem(PREFIX + session, JSON.stringify(fresh));
  } catch {
    // Without storage the secret lives in the history entry alone.
  }
  return fresh.secret;
}

function random() {
  const bytes = crypto.getRandomValues(new Uint8Array(24));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
