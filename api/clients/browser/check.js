/**
 * A check, from the camera to the verdict: it creates the session, sends frames and reports by events. It draws nothing;
 * `element.js` does.
 */

import { closeCamera, openCamera, Shutter, Witness } from "./camera.js";
import { ENDED, UNUSABLE } from "./codes.js";
import { LivenessError } from "./errors.js";
import { Service } from "./service.js";

/** Frames that may be under way at once. */
const UNDER_WAY = 2;
/** Milliseconds from frame to frame: ten frames a second at best, five if the service answers slowly. */
const FASTEST = 100;
const SLOWEST = 200;
/** Milliseconds for which a service that is away or busy is tried again, before the check gives up. */
const GIVE_UP_AFTER = 20_000;
/** Milliseconds between two tries while the service cannot be reached. */
const TRY_AGAIN = 700;
/** Milliseconds of preview before the session is created, in which a person fits their face into it. */
const GET_READY = 1500;
/** Milliseconds that a camera may take to give its first picture. */
const FIRST_PICTURE = 8000;

/** Nonces of the latest answers that a frame carries, where the session asks for them (sequence=required). */
const NONCES = 12;
/** Milliseconds between two reports about the camera. */
const REPORT_EVERY = 1000;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

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
  #stream = null;
  #ownStream = false;
  #stopped = new AbortController();
  #underWay = 0;
  #settled = null;
  #latency = 0;
  #sequence = 0;
  #newest = 0;
  #answeredAt = 0;
  #resumeAt = 0;
  #waiting = null;
  #asked = null;
  #clockEnds = null;
  #passedCount = 0;
  #hint = null;
  #nonces = [];
  #witness = null;
  #shutter = null;
  #reportedAt = -REPORT_EVERY;

  /**
   * @param {object} [options]
   * @param {string} [options.api] the address of the API; by default that of the service on the page's host
   * @param {string|null} [options.token] a session's token, or an API key, sent as `Authorization: Bearer`
   * @param {string|null} [options.browserSecret] a secret that binds the token to this browser: see service.js
   * @param {object|null} [options.session] a session that your server has created: the answer, or at least its session_id
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
   * Open the camera, show it in `video`, and run the session. Resolves when the check has ended; the event `error` reports
   * what goes wrong.
   * @param {HTMLVideoElement} video muted and playsinline; mirror it by CSS only
   */
  async start(video) {
    if (this.phase !== "idle") throw new Error("A check starts once: make a new one to try again.");
    const leave = () => this.cancel();
    const seen = () => document.hidden || this.#resume("background");
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", seen);
    let lock = null;
    try {
      await this.#openCamera(video);
      lock = await navigator.wakeLock?.request("screen").catch(() => null);
      this.#enter("ready");
      await sleep(GET_READY);
      if (this.ended) return;
      await this.#openSession();
      this.#enter("running");
      this.#witness = new Witness(video, this.#stream.getVideoTracks()[0]);
      this.#shutter = new Shutter(video);
      await this.#send(this.#shutter);
    } catch (error) {
      this.#fail(error instanceof LivenessError ? error : new LivenessError("refused", String(error), { cause: error }));
    } finally {
      removeEventListener("pagehide", leave);
      document.removeEventListener("visibilitychange", seen);
      lock?.release().catch(() => {});
      this.#witness?.stop();
      if (this.#ownStream) closeCamera(this.#stream);
    }
  }

  /** Cancel the check, and the session with it. */
  cancel() {
    if (this.ended) return;
    this.#end("cancelled", null);
    this.#cancelSession();
  }

  async #openCamera(video) {
    this.#enter("opening");
    this.#ownStream = !this.#options.stream;
    this.#stream = this.#options.stream ?? (await openCamera(this.#options));
    if (this.ended) return;
    for (const track of this.#ownStream ? this.#stream.getVideoTracks() : []) {
      track.addEventListener("ended", () => this.#fail(new LivenessError("camera_lost", "The camera's track ended.")));
    }
    video.srcObject = this.#stream;
    await Promise.race([video.play().catch(() => {}), sleep(FIRST_PICTURE)]);
    const until = performance.now() + FIRST_PICTURE;
    while (!video.videoWidth && !this.ended) {
      if (performance.now() > until) throw new LivenessError("camera_busy", "The camera gives no picture.");
      await sleep(50);
    }
  }

  async #openSession() {
    const { challenges, timeoutSeconds, types, exclude, reveal = "next", preset, sequence = "required" } = this.#options;
    const ask = () =>
      this.session
        ? this.session.challenges
          ? this.session
          : this.#service.look(this.session.session_id)
        : this.#service.create({ challenges, timeoutSeconds, types, exclude, reveal, preset, sequence });
    const since = performance.now();
    while (!this.ended) {
      try {
        const session = await ask();
        this.session = session;
        break;
      } catch (error) {
        const seconds = error.code === "busy" ? error.retryAfter : TRY_AGAIN / 1000;
        const over = performance.now() - since + seconds * 1000 > GIVE_UP_AFTER;
        if ((error.code !== "busy" && error.code !== "network") || over) throw error;
        this.#wait(error.code, seconds);
        await sleep(seconds * 1000);
      }
    }
    if (this.ended) return this.#cancelSession(); // cancelled while the session was being created
    this.#resume();
    this.total = Math.max(this.session.challenges.length, this.#options.challenges ?? 0);
    this.#emit("session", { session: this.session });
  }

  /** Send frames until the session has ended. */
  async #send(shutter) {
    this.#answeredAt = performance.now();
    while (!this.ended) {
      const began = performance.now();
      if (document.hidden) {
        // A person does not see a page in the background, and browsers slow it down.
        this.#wait("background");
        this.#answeredAt = began;
        await sleep(100);
        continue;
      }
      const most = this.#waiting ? 1 : UNDER_WAY;
      if (this.#underWay >= most || began < this.#resumeAt) {
        await Promise.race([this.#nextSettled(), sleep(this.#underWay >= most ? 250 : this.#resumeAt - began)]);
        continue;
      }
      const picture = await shutter.take();
      if (this.ended) return;
      if (picture) this.#submit(picture, ++this.#sequence);
      // With two frames under way, an interval of three quarters of the usual latency never piles frames up.
      const interval = Math.min(SLOWEST, Math.max(FASTEST, this.#latency * 0.75));
      await sleep(Math.max(0, began + interval - performance.now()));
    }
  }

  async #submit(picture, number) {
    const sentAt = performance.now();
    this.#underWay += 1;
    try {
      const more = { signal: this.#stopped.signal, nonces: this.#nonces, camera: this.#report(sentAt) };
      const answer = await this.#service.frame(this.session.session_id, picture, more);
      if (answer.nonce) this.#nonces = [answer.nonce, ...this.#nonces].slice(0, NONCES);
      const milliseconds = performance.now() - sentAt;
      this.#latency = this.#latency ? 0.8 * this.#latency + 0.2 * milliseconds : milliseconds;
      this.#answeredAt = performance.now();
      if (this.ended) return;
      this.#resume();
      this.#emit("answer", { answer, milliseconds });
      this.#take(answer, number, sentAt);
    } catch (error) {
      if (!this.ended) this.#trouble(error);
    } finally {
      this.#underWay -= 1;
      this.#settled?.();
    }
  }

  /** What the platform says of the camera, now and then. */
  #report(at) {
    if (!this.#witness || at - this.#reportedAt < REPORT_EVERY) return null;
    this.#reportedAt = at;
    return this.#witness.report();
  }

  #nextSettled() {
    return new Promise((resolve) => {
      this.#settled = resolve;
    });
  }

  /** Handle a frame that got no answer; most often the session goes on. */
  #trouble(error) {
    if (error.code !== "network" && error.code !== "busy") {
      // A single picture that the service cannot use does not end the check: the next one may be usable.
      // Nor does a frame that is out of sequence, because answers were lost on the way.
      const skipped = error.code === "refused" && (error.status === 422 || error.problem === "out_of_sequence");
      if (!skipped || performance.now() - this.#answeredAt > GIVE_UP_AFTER) this.#fail(error);
      return;
    }
    const seconds = error.code === "busy" ? error.retryAfter : TRY_AGAIN / 1000;
    if (performance.now() - this.#answeredAt > GIVE_UP_AFTER) return this.#fail(error);
    this.#resumeAt = performance.now() + seconds * 1000;
    this.#wait(error.code, seconds);
  }

  #take(answer, number, sentAt) {
    if (ENDED.has(answer.state)) return this.#conclude(answer);
    this.total = Math.max(this.total, answer.challenges_remaining + (answer.passed ? 1 : 0));
    if (answer.passed) {
      this.#passedCount = this.total - answer.challenges_remaining;
      this.#pass(answer);
    } else if (number > this.#newest && this.total - answer.challenges_remaining >= this.#passedCount) {
      // Frames may overtake each other; the answer to an older one is out of date.
      this.#ask(answer, sentAt);
      this.#advise(answer.hint, answer.challenge_type);
    }
    this.#newest = Math.max(this.#newest, number);
    this.#emit("face", { face: answer.face ?? null, hint: answer.hint ?? null });
  }

  /** Report the challenge of an answer if it is new, and its clock once that runs. */
  #ask(answer, sentAt) {
    if (!answer.challenge_type) return;
    const index = this.total - answer.challenges_remaining;
    if (this.#asked?.index !== index) {
      const shown = answer.challenge ?? this.session.challenges[index] ?? {};
      this.#asked = {
        type: answer.challenge_type,
        instruction: shown.instruction ?? answer.challenge_type,
        timeoutSeconds: shown.timeout_seconds ?? null,
        index,
        total: this.total,
      };
      this.#clockEnds = null;
      this.#emit("challenge", this.#asked);
    }
    // The first challenge's clock starts with the first usable face, the others' with their reveal.
    if (this.#clockEnds === null && (index > 0 || !UNUSABLE.has(answer.hint?.code))) {
      const seconds = this.#asked.timeoutSeconds ?? 0;
      this.#clockEnds = sentAt + seconds * 1000;
      this.#emit("clock", { type: this.#asked.type, seconds: Math.max(0, (this.#clockEnds - performance.now()) / 1000) });
    }
  }

  #pass(answer) {
    const index = this.#passedCount - 1;
    this.#hint = null;
    this.#emit("passed", {
      type: answer.challenge_type,
      confidence: answer.confidence,
      index,
      total: this.total,
    });
  }

  #advise(hint, type) {
    if ((hint?.code ?? null) === this.#hint) return;
    this.#hint = hint?.code ?? null;
    this.#emit("hint", hint ? { ...hint, type } : null);
  }

  #conclude(answer) {
    if (answer.state === "completed") {
      if (answer.passed) {
        this.#passedCount = this.total;
        this.#pass(answer);
      }
      this.#end("completed", { isLive: answer.is_live ?? null });
    } else if (answer.state === "expired") {
      this.#fail(new LivenessError("expired", "The session outlived its time."));
    } else if (this.#shutter?.fault) {
      this.#end("error", { error: this.#shutter.fault }); // no person can meet a challenge before such a camera
    } else {
      // The second of two frames under way is answered only that the session has ended.
      const late = this.#clockEnds !== null && performance.now() > this.#clockEnds - 500;
      this.#end("failed", { reason: answer.hint?.code === "timed_out" || late ? "timed_out" : "not_met" });
    }
  }

  #wait(reason, seconds = null) {
    if (this.#waiting === reason) return;
    this.#waiting = reason;
    this.#emit("waiting", { reason, seconds });
  }

  #resume(reason = this.#waiting) {
    if (this.#waiting === null || this.#waiting !== reason) return;
    this.#waiting = null;
    this.#emit("resumed", null);
  }

  #enter(phase) {
    if (this.ended) return;
    this.phase = phase;
    this.#emit("phase", { phase });
  }

  #fail(error) {
    if (this.ended) return;
    this.#end("error", { error });
    if (error.code !== "session_gone" && error.code !== "expired") this.#cancelSession();
  }

  #end(kind, detail) {
    this.#enter("ended");
    this.#stopped.abort();
    if (this.#ownStream) closeCamera(this.#stream);
    this.#emit(kind, detail);
  }

  #cancelSession() {
    // A session that a server has created is that server's own to cancel.
    if (this.session?.session_id && !this.#options.session) this.#service.cancel(this.session.session_id).catch(() => {});
  }

  #emit(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }
}
