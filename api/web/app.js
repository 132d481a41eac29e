/**
 * Tells the app around a WebView how its check goes: docs/mobile.md. A page of your own imports it, too.
 *
 * A message is JSON: {"event": "completed", "session": "a1b2…", "reason": null}. It holds no verdict and no token: the app
 * asks its own server, since anybody could send such a message.
 */

/** The name of the app's channel. */
const CHANNEL = "LivenessApp";
/** Events of the element that an app is told. */
const TOLD = ["session", "waiting", "resumed", "completed", "failed", "error", "cancelled"];

/** Tell the app, if there is one, what happens to the check of this element. */
export function tellApp(element) {
  let session = null;
  for (const event of TOLD) {
    element.addEventListener(`liveness-${event}`, ({ detail }) => {
      session = detail?.session?.session_id ?? session ?? element.getAttribute("session-id");
      post(JSON.stringify({ event, session, reason: detail?.reason ?? detail?.error?.code ?? null }));
    });
  }
}

/** Send a text by the first channel that the page has; without one, or when it fails, the check goes on alone. */
function post(text) {
  try {
    const named = globalThis[CHANNEL]; // Android's listener, and the channel of Flutter's webview_flutter
    const webkit = globalThis.webkit?.messageHandlers?.[CHANNEL]; // WKWebView
    const native = globalThis.ReactNativeWebView;
    if (named?.postMessage) named.postMessage(text);
    else if (webkit?.postMessage) webkit.postMessage(text);
    else if (native?.postMessage) native.postMessage(text);
    else globalThis.flutter_inappwebview?.callHandler?.(CHANNEL, text)?.catch?.(() => {});
  } catch (error) {
    console.info(`${CHANNEL} cannot be told: ${error.message}`);
  }
}
