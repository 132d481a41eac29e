/** The course of one session: frames go out, answers come in, until the service ends the session or it was interrupted. */

import { ENDED, UNUSABLE } from "./codes.js";
import { LivenessError } from "./errors.js";
import { Life, Over } from "./life.js";

/** Frames that may be under way at once. */
const UNDER_WAY = 2;
/** Milliseconds from frame to frame: ten frames a second at best, five if the service answers slowly. */
const FASTEST = 100;
const SLOWEST = 200;
/** Milliseconds for which a service that is away or busy is tried again, before the check gives up. */
export const GIVE_UP_AFTER = 20_000;
/** Milliseconds between two tries while the service cannot be reached. */
export const TRY_AGAIN = 700;
/** Nonces of the latest answers that a frame carries, where the session asks for them (sequence=required). */
const NONCES = 12;
/** Milliseconds between two reports about the camera. */
const REPORT_EVERY = 1000;
/** Milliseconds before the end of a challenge's clock from which a session that has ended counts as timed out. */
const NEAR_THE_END = 500;

/**
 * The nonces and the number of challenges of sessions that this page has sent frames to and that have not ended, by their ids: a further
 * check of the same session goes on with them.
 */
const BEGUN = new Map();

/** Whether a check of this page has sent frames to the session with this id. */
export const hasBegun = (id) => BEGUN.has(id);

export class Course {
  #life;
  #service;
  #session;
  #shutter;
  #witness;
  #tell;
  #waits;
  #memory;
  #joined;
  #finish = null;
  #underWay = 0;
  #settled = null;
  #latency = 0;
  #sequence = 0;
  #newest = 0;
  #answeredAt = performance.now();
  #resumeAt = 0;
  #asked = null;
  #clockEnds = null;
  #passedCount = 0;
  #hint = null;
  #reportedAt = -REPORT_EVERY;
  /** When the challenge that runs began at the earliest, and its limit, in milliseconds; null before any clock runs. */
  #began = null;
  #limit = Infinity;
  /** The pause that goes on: {reason, since}; and the milliseconds of this challenge that were lost to pauses. */
  #pause = null;
  #lost = 0;
  #lostTo = null;

  /**
   * @param {object} how
   * @param {Life} how.parent the life that the course ends with
   * @param {import("./service.js").Service} how.service
   * @param {object} how.session as the service answered it
   * @param {number} how.total how many challenges were asked for; 0: unknown
   * @param {import("./camera.js").Shutter} how.shutter
   * @param {import("./camera.js").Witness} how.witness
   * @param {(kind: string, detail: unknown) => void} how.tell
   * @param {import("./check.js").Waits} how.waits
   */
  constructor({ parent, service, session, total, shutter, witness, tell, waits }) {
    this.#life = new Life(parent);
    this.#service = service;
    this.#session = session;
    this.#shutter = shutter;
    this.#witness = witness;
    this.#tell = tell;
    this.#waits = waits;
    this.#joined = session.state === "in_progress";
    // How much of a challenge's time passed before is not known: it is no fault of the person's.
    if (this.#joined) [this.#lost, this.#lostTo] = [Infinity, "left"];
    this.#memory = BEGUN.get(session.session_id) ?? { nonces: [], total: 0 };
    BEGUN.set(session.session_id, this.#memory);
    this.total = Math.max(session.challenges.length, total, this.#memory.total);
  }

  /**
   * Send frames until the session has ended. Throws Over, and LivenessError.
   * @returns {Promise<{kind: "completed" | "failed" | "interrupted", detail: object, ended: boolean}>} ended: whether the
   *   service has ended the session
   */
  async run() {
    this.#life.listen(document, "visibilitychange", () => (document.hidden ? this.#wait("background") : this.#back()));
    if (document.hidden) this.#wait("background");
    const outcome = new Promise((resolve, reject) => {
      this.#finish = { resolve, reject };
    });
    this.#send().catch((error) => error instanceof Over || this.#finish.reject(error));
    try {
      return await this.#life.until(outcome);
    } finally {
      this.#life.end();
    }
  }

  /** Send frames for as long as the course's life lasts. */
  async #send() {
    const life = this.#life;
    this.#answeredAt = performance.now();
    for (;;) {
      const started = performance.now();
      if (document.hidden) {
        // A person does not see a page in the background, and browsers slow it down.
        this.#answeredAt = started;
        await life.sleep(100);
        continue;
      }
      const most = this.#waits.reason ? 1 : UNDER_WAY;
      if (this.#underWay >= most || started < this.#resumeAt) {
        const pause = life.sleep(this.#underWay >= most ? 250 : this.#resumeAt - started);
        await life.until(Promise.race([this.#nextSettled(), pause]));
        continue;
      }
      const picture = await life.until(this.#shutter.take());
      if (picture && !document.hidden) this.#submit(picture, ++this.#sequence);
      // With two frames under way, an interval of three quarters of the usual latency never piles frames up.
      const interval = Math.min(SLOWEST, Math.max(FASTEST, this.#latency * 0.75));
      await life.sleep(Math.max(0, started + interval - performance.now()));
    }
  }

  async #submit(picture, number) {
    const life = this.#life;
    const sentAt = performance.now();
    this.#underWay += 1;
    try {
      const more = { signal: life.signal, nonces: this.#memory.nonces, camera: this.#report(sentAt) };
      const answer = await life.until(this.#service.frame(this.#session.session_id, picture, more));
      if (answer.nonce) this.#memory.nonces = [answer.nonce, ...this.#memory.nonces].slice(0, NONCES);
      const milliseconds = performance.now() - sentAt;
      this.#latency = this.#latency ? 0.8 * this.#latency + 0.2 * milliseconds : milliseconds;
      this.#answeredAt = performance.now();
      if (!document.hidden) this.#resume();
      this.#tell("answer", { answer, milliseconds });
      this.#take(answer, number, sentAt);
    } catch (error) {
      if (!(error instanceof Over) && !life.over) this.#trouble(error);
    } finally {
      this.#underWay -= 1;
      this.#settled?.();
    }
  }

  /** What the platform says of the camera, now and then. */
  #report(at) {
    if (at - this.#reportedAt < REPORT_EVERY) return null;
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
    const away = performance.now() - this.#answeredAt;
    if (error.code === "network" || error.code === "busy") {
      if (away > GIVE_UP_AFTER) return this.#finish.reject(error);
      const seconds = error.code === "busy" ? error.retryAfter : TRY_AGAIN / 1000;
      this.#resumeAt = performance.now() + seconds * 1000;
      return this.#wait(error.code, seconds, this.#answeredAt);
    }
    // A single picture that the service cannot use does not end the check: the next one may be usable.
    // Nor does a frame that is out of sequence, because answers were lost on the way.
    const skipped = error.code === "refused" && (error.status === 422 || error.problem === "out_of_sequence");
    if (skipped && !this.#isOtherS(error) && away <= GIVE_UP_AFTER) return;
    const over = error.code === "session_gone" || error.problem === "token_expired" || this.#isOtherS(error);
    if (over && this.#lostNow() > 0) return this.#interrupt(error.code === "session_gone");
    this.#finish.reject(error);
  }

  /** Whether the session cannot be gone on with here, because its answers went to a page that is no more. */
  #isOtherS(error) {
    return this.#joined && error.problem === "out_of_sequence" && !this.#memory.nonces.length;
  }

  #take(answer, number, sentAt) {
    if (ENDED.has(answer.state)) return this.#conclude(answer);
    this.#count(answer);
    if (answer.passed) {
      this.#passedCount = this.total - answer.challenges_remaining;
      this.#pass(answer);
    } else if (number > this.#newest && this.total - answer.challenges_remaining >= this.#passedCount) {
      // Frames may overtake each other; the answer to an older one is out of date.
      this.#ask(answer, sentAt);
      this.#advise(answer.hint, answer.challenge_type);
    }
    this.#newest = Math.max(this.#newest, number);
    this.#tell("face", { face: answer.face ?? null, hint: answer.hint ?? null });
  }

  /** Learn how many challenges there are. */
  #count(answer) {
    const left = answer.challenges_remaining + (answer.passed ? 1 : 0);
    const known = this.#session.challenges;
    // A session that has begun and reveals one challenge at a time: all that it has shown but the last one have passed.
    const shown = this.#joined && !this.#memory.total && known[this.total - left]?.type !== answer.challenge_type;
    this.total = Math.max(this.total, shown ? known.length - 1 + left : left);
    this.#memory.total = this.total;
  }

  /** Report the challenge of an answer if it is new, and its clock once that runs. */
  #ask(answer, sentAt) {
    if (!answer.challenge_type) return;
    const index = this.total - answer.challenges_remaining;
    if (this.#asked?.index !== index) {
      const shown = answer.challenge ?? this.#session.challenges[index] ?? {};
      this.#asked = {
        type: answer.challenge_type,
        instruction: shown.instruction ?? answer.challenge_type,
        timeoutSeconds: shown.timeout_seconds ?? null,
        index,
        total: this.total,
      };
      this.#limit = shown.timeout_seconds ? shown.timeout_seconds * 1000 : Infinity;
      this.#clockEnds = null;
      this.#tell("challenge", this.#asked);
    }
    // The first challenge's clock starts with the first usable face, the others' with their reveal.
    if (this.#clockEnds === null && (index > 0 || !UNUSABLE.has(answer.hint?.code))) {
      const seconds = this.#asked.timeoutSeconds ?? 0;
      this.#clockEnds = sentAt + seconds * 1000;
      if (index === 0 && !this.#joined) this.#begin(sentAt);
      this.#tell("clock", { type: this.#asked.type, seconds: Math.max(0, (this.#clockEnds - performance.now()) / 1000) });
    }
  }

  #pass(answer) {
    this.#hint = null;
    this.#clockEnds = null;
    this.#begin(performance.now());
    this.#tell("passed", {
      type: answer.challenge_type,
      confidence: answer.confidence,
      index: this.#passedCount - 1,
      total: this.total,
    });
  }

  #advise(hint, type) {
    if ((hint?.code ?? null) === this.#hint) return;
    this.#hint = hint?.code ?? null;
    this.#tell("hint", hint ? { ...hint, type } : null);
  }

  #conclude(answer) {
    BEGUN.delete(this.#session.session_id);
    if (answer.state === "completed") {
      if (answer.passed) {
        this.#passedCount = this.total;
        this.#pass(answer);
      }
      return this.#end("completed", { isLive: answer.is_live ?? null });
    }
    if (this.#shutter.fault && answer.state !== "expired") return this.#finish.reject(this.#shutter.fault);
    // The second of two frames under way is answered only that the session has ended.
    const late = this.#lost === Infinity || (this.#deadline === null ? this.#lostNow() > 0 : performance.now() > this.#deadline - NEAR_THE_END);
    const timedOut = answer.hint?.code === "timed_out" || late;
    if ((timedOut || answer.state === "expired") && this.#wasPaused()) return this.#interrupt(true);
    if (answer.state === "expired") return this.#finish.reject(new LivenessError("expired", "The session outlived its time."));
    this.#end("failed", { reason: timedOut ? "timed_out" : "not_met" });
  }

  #end(kind, detail, ended = true) {
    this.#finish.resolve({ kind, detail, ended });
  }

  #interrupt(ended = false) {
    this.#end("interrupted", { reason: this.#pause?.reason ?? this.#lostTo }, ended);
  }

  // --- pauses ----------------------------------------------------------------------------------------------------------

  /** From now on a challenge's time counts anew. */
  #begin(at) {
    this.#began = at;
    this.#lost = 0;
    if (this.#pause) this.#pause.since = at;
    else this.#lostTo = null;
  }

  /** When the challenge's time is over, as far as is known here; null before any clock runs. */
  get #deadline() {
    return this.#clockEnds ?? (this.#began === null ? null : this.#began + this.#limit);
  }

  /** The milliseconds of this challenge that the person could not use. */
  #lostNow() {
    return this.#lost + (this.#pause ? performance.now() - this.#pause.since : 0);
  }

  /** Whether there would be time left but for the pauses. */
  #wasPaused() {
    const lost = this.#lostNow();
    return lost > 0 && (this.#deadline === null || performance.now() - lost < this.#deadline);
  }

  #wait(reason, seconds = null, since = performance.now()) {
    this.#pause ??= { reason, since };
    this.#waits.begin(reason, seconds);
  }

  #resume() {
    if (this.#pause) {
      this.#lost = this.#lostNow();
      this.#lostTo = this.#pause.reason;
      this.#pause = null;
    }
    this.#waits.end();
  }

  /** The page is in front again: go on, unless the challenge's time is over. */
  #back() {
    this.#answeredAt = performance.now();
    this.#resumeAt = 0;
    if (this.#waits.reason === "background") this.#resume();
    if (this.#clockEnds !== null && performance.now() > this.#clockEnds && this.#wasPaused()) this.#interrupt();
  }
}
