/**
 * A check, from the camera to the verdict: it creates the session, sends frames and reports by events. It draws nothing;
 * `element.js` does.
 */

import { closeCamera, openCamera, Shutter, Witness } from "./camera.js";
import { ENDED } from "./codes.js";
import { Course, GIVE_UP_AFTER, hasBegun, TRY_AGAIN } from "./course.js";
import { LivenessError } from "./errors.js";
import { Life, Over } from "./life.js";
import { Service } from "./service.js";

/** Milliseconds of preview before the session is created, in which a person fits their face into it. */
const GET_READY = 1500;
/** Milliseconds in which a person reads why the check begins again. */
const BEGIN_AGAIN = 2500;
/** Milliseconds that a camera may take to give its first picture. */
const FIRST_PICTURE = 8000;
/** Errors that leave nothing of the session to cancel. */
const GONE = new Set(["session_gone", "expired"]);

/**
 * A check. Its events are CustomEvents with a `detail`:
 *
 * phase      {phase}: opening, ready, running, ended
 * session    {session}: the session as the service answered it
 * challenge  {type, instruction, timeoutSeconds, index, total}: the challenge to show
 * clock      {type, seconds}: the clock of the challenge runs, with so many seconds left
 * hint       {code, text, type}: a word of help to show; null: none
 * face       {face, hint}: the place of the face, with every answer
 * passed     {type, confidence, index, total}: a challenge passed
 * waiting    {reason, seconds}: the check waits; reason: network, busy or background
 * resumed    null: the check no longer waits
 * interrupted {reason}: a challenge's time went by in a pause; reason: network, busy, background, or left (by an earlier
 *            check of the session). The check begins again with a new session, or ends with an error if it was given one
 * answer     {answer, milliseconds}: the service's answer to a frame, and the time that it took
 * completed  {isLive}: true, false, or null if only your server may know
 * failed     {reason}: timed_out or not_met
 * error      {error}: a LivenessError
 * cancelled  null: the check was cancelled
 *
 * Exactly one of completed, failed, error and cancelled ends a check.
 */
export class LivenessCheck extends EventTarget {
  #options;
  #service;
  #life = new Life();
  #stream = null;
  #waits = new Waits((kind, detail) => this.#emit(kind, detail));
  /** Whether the service has ended the session, so that there is nothing to cancel. */
  #ended = false;

  /**
   * @param {object} [options]
   * @param {string} [options.api] the address of the API; by default that of the service on the page's host
   * @param {string|null} [options.token] a session's token, or an API key, sent as `Authorization: Bearer`
   * @param {string|null} [options.browserSecret] a secret that binds the token to this browser: see service.js
   * @param {object|null} [options.session] a session that your server has created: the answer, or at least its session_id;
   *   it stays your server's to cancel, and a further check may go on with it until it has ended
   * @param {(() => Promise<object>)|null} [options.createSession] creates a session, once the camera is open and each time that
   *   the check begins again; its answer has at least the session_id, and may have a token. The check cancels what it does not use
   * @param {number} [options.challenges] how many challenges, 1 to 10
   * @param {number} [options.timeoutSeconds] seconds for each challenge, 1 to 60
   * @param {string[]} [options.types] the challenges to draw from
   * @param {string[]} [options.exclude] the challenges that the person cannot do
   * @param {"all"|"next"} [options.reveal] default next, so that nobody can act in advance
   * @param {"off"|"required"} [options.sequence] whether each frame must carry the nonces of the latest answers; default
   *   required: what was filmed in advance, or comes from a second program, is refused
   * @param {string} [options.deviceId] id of the camera
   * @param {MediaStream} [options.stream] a stream in place of a camera; the check does not close it
   */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#service = new Service(options);
    this.session = options.session ?? null;
    this.total = 0;
    this.phase = "idle";
  }

  /** Whether the check has ended. */
  get ended() {
    return this.phase === "ended";
  }

  /**
   * Open the camera, show it in `video`, and run the session. Resolves when the check has ended, or at once if it was cancelled
   * before; the event `error` reports what goes wrong.
   * @param {HTMLVideoElement} video muted and playsinline; mirror it by CSS only
   */
  async start(video) {
    if (this.ended) return;
    if (this.phase !== "idle") throw new Error("A check starts once: make a new one to try again.");
    this.#life.listen(globalThis, "pagehide", () => this.cancel());
    try {
      await this.#run(video);
    } catch (error) {
      if (error instanceof Over || this.ended) return;
      this.#fail(error instanceof LivenessError ? error : new LivenessError("refused", String(error), { cause: error }));
    }
  }

  /** Cancel the check, and the session with it unless your server has created it. */
  cancel() {
    if (!this.ended) this.#end("cancelled", null);
  }

  async #run(video) {
    const life = this.#life;
    this.#enter("opening");
    const given = this.session;
    // A session that is over, or whose token is, needs no camera.
    if (given && !given.challenges) await this.#open(life, () => this.#service.look(given.session_id));
    if (given && ENDED.has(this.session.state)) return this.#conclude();
    await this.#openCamera(video);
    this.#stayAwake();
    this.#enter("ready");
    await life.sleep(GET_READY);
    const shutter = new Shutter(video);
    const witness = new Witness(video, this.#stream.getVideoTracks()[0]);
    life.own(witness, () => witness.stop());
    for (;;) {
      const part = new Life(life);
      if (!given) await this.#openSession(part);
      const { session } = this;
      const course = new Course({
        parent: part,
        service: this.#service,
        session,
        total: this.#options.challenges ?? 0,
        shutter,
        witness,
        tell: (kind, detail) => part.over || this.#told(kind, detail, course.total),
        waits: this.#waits,
      });
      this.total = course.total;
      this.#emit("session", { session });
      this.#enter("running");
      const { kind, detail, ended } = await life.until(course.run());
      this.#ended = ended;
      // No person can meet a challenge before a camera that is so slow, or that freezes.
      if (kind === "failed" && shutter.fault) return this.#end("error", { error: shutter.fault });
      if (kind !== "interrupted") return this.#end(kind, detail);
      this.#emit("interrupted", detail);
      if (given) throw new LivenessError("interrupted", "A challenge's time went by in a pause.");
      part.end();
      this.session = null;
      this.#ended = false;
      while (document.hidden) await life.sleep(100);
      this.#waits.end();
      await life.sleep(BEGIN_AGAIN);
    }
  }

  /** End with a session that was over before the check began. */
  #conclude() {
    const { state, session_id: id, is_live: isLive = null } = this.session;
    this.#ended = true;
    if (state === "completed") return this.#end("completed", { isLive });
    if (state === "expired") throw new LivenessError("expired", "The session outlived its time.");
    if (!hasBegun(id)) throw new LivenessError("session_gone", "The session has failed.");
    this.#emit("interrupted", { reason: "left" });
    throw new LivenessError("interrupted", "The session has failed since an earlier check of it.");
  }

  async #openCamera(video) {
    const life = this.#life;
    const own = !this.#options.stream;
    this.#stream = this.#options.stream ?? (await life.until(openCamera(this.#options), closeCamera));
    for (const track of own ? this.#stream.getVideoTracks() : []) {
      life.listen(track, "ended", () => this.#fail(new LivenessError("camera_lost", "The camera's track ended.")));
    }
    video.srcObject = this.#stream;
    const until = performance.now() + FIRST_PICTURE;
    await life.until(Promise.race([video.play().catch(() => {}), life.sleep(FIRST_PICTURE)]));
    while (!video.videoWidth) {
      if (performance.now() > until) throw new LivenessError("camera_busy", "The camera gives no picture.");
      await life.sleep(50);
    }
  }

  /** Keep the screen on; a browser lets it go off again when the page was in the background. */
  #stayAwake() {
    const life = this.#life;
    const ask = () => {
      if (document.hidden) return;
      const lock = navigator.wakeLock?.request("screen");
      if (lock) life.until(lock, (held) => held.release().catch(() => {})).catch(() => {});
    };
    ask();
    life.listen(document, "visibilitychange", ask);
  }

  /** Create a session that `part` owns: it is cancelled with it, or when it comes too late. */
  async #openSession(part) {
    const { createSession, challenges, timeoutSeconds, types, exclude, reveal = "next", preset, sequence = "required" } = this.#options;
    if (!createSession) {
      const wishes = { challenges, timeoutSeconds, types, exclude, reveal, preset, sequence };
      return this.#open(part, () => this.#service.create(wishes), (made) => this.#cancelSession(made));
    }
    const made = await part.until(
      Promise.resolve().then(createSession).catch((error) => Promise.reject(ofHost(error))),
      (late) => this.#cancelSession(late),
    );
    if (!made?.session_id) throw new LivenessError("refused", "createSession gave no session_id.");
    if (made.token) this.#service.token = made.token;
    this.session = made;
    if (!made.challenges) await this.#open(part, () => this.#service.look(made.session_id));
  }

  /** Ask the service for the session until it answers. */
  async #open(life, ask, giveBack = null) {
    const since = performance.now();
    for (;;) {
      try {
        this.session = { ...this.session, ...(await life.until(ask(), giveBack)) };
        return this.#waits.end();
      } catch (error) {
        const seconds = error.code === "busy" ? error.retryAfter : TRY_AGAIN / 1000;
        const over = performance.now() - since + seconds * 1000 > GIVE_UP_AFTER;
        if ((error.code !== "busy" && error.code !== "network") || over) throw error;
        this.#waits.begin(error.code, seconds);
        await life.sleep(seconds * 1000);
      }
    }
  }

  #told(kind, detail, total) {
    this.total = total;
    this.#emit(kind, detail);
  }

  #enter(phase) {
    if (this.ended) return;
    this.phase = phase;
    this.dispatchEvent(new CustomEvent("phase", { detail: { phase } }));
  }

  #fail(error) {
    if (this.ended) return;
    if (GONE.has(error.code)) this.#ended = true;
    this.#end("error", { error });
  }

  #end(kind, detail) {
    if (this.ended) return;
    this.#enter("ended");
    this.#life.end();
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  #cancelSession(session) {
    if (this.#ended || !session?.session_id) return;
    const { api, browserSecret } = this.#service;
    const service = new Service({ api, browserSecret, token: session.token ?? this.#service.token });
    service.cancel(session.session_id).catch(() => {});
  }

  /** Report what happens before the end; after it nothing does. */
  #emit(kind, detail) {
    if (!this.ended) this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}

/** What a check waits for, told once when it begins and once when it ends. */
class Waits {
  #tell;
  reason = null;

  constructor(tell) {
    this.#tell = tell;
  }

  begin(reason, seconds = null) {
    if (this.reason === reason) return;
    this.reason = reason;
    this.#tell("waiting", { reason, seconds });
  }

  end() {
    if (this.reason === null) return;
    this.reason = null;
    this.#tell("resumed", null);
  }
}

/** The error of the host's own createSession, with its code if it is one that the element knows. */
function ofHost(error) {
  if (error instanceof LivenessError) return error;
  const usual = navigator.onLine === false ? "network" : "refused";
  const code = typeof error?.code === "string" ? error.code : usual;
  return new LivenessError(code, String(error?.message ?? error), { retryAfter: error?.retryAfter, cause: error });
}
