/** A life: what goes on, and what is held, until it is ended. */

/** What `until` throws once the life is over: there is nothing left to do, and nobody to tell. */
export class Over extends Error {}

/**
 * The life of an element's screen, a check or a session. All that is waited for is waited for with `until`, which goes no
 * further once the life is over; all that must be given back (a camera, a session) is given back at its end, or, if it
 * comes later, as soon as it is there.
 */
export class Life {
  #ending = new AbortController();
  #givings = new Set();

  /** @param {Life | null} parent a life that this one ends with */
  constructor(parent = null) {
    parent?.own(this, (life) => life.end());
  }

  get over() {
    return this.#ending.signal.aborted;
  }

  /** An AbortSignal, for fetch and addEventListener. */
  get signal() {
    return this.#ending.signal;
  }

  /** End it. What it owns is given back, the latest first. */
  end() {
    if (this.over) return;
    this.#ending.abort();
    const givings = [...this.#givings].reverse();
    this.#givings.clear();
    for (const give of givings) give();
  }

  /** Own something until the end: `giveBack(value)` is called then, or at once if it is over. */
  own(value, giveBack) {
    if (this.over) giveBack(value);
    else this.#givings.add(() => giveBack(value));
    return value;
  }

  /**
   * The value of a promise. Throws Over if the life ends before; with `giveBack`, the life owns the value, however late it comes.
   * @template T
   * @param {Promise<T> | T} promise
   * @param {((value: T) => void) | null} [giveBack]
   * @returns {Promise<T>}
   */
  until(promise, giveBack = null) {
    return new Promise((resolve, reject) => {
      const leave = () => reject(new Over());
      if (this.over) leave();
      this.signal.addEventListener("abort", leave, { once: true });
      const here = () => this.signal.removeEventListener("abort", leave);
      Promise.resolve(promise).then(
        (value) => {
          here();
          if (giveBack) this.own(value, giveBack);
          resolve(value);
        },
        (error) => {
          here();
          reject(error);
        },
      );
    });
  }

  /** Wait for so many milliseconds. Throws Over. */
  sleep(milliseconds) {
    return this.until(new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }

  /** Call `act` after so many milliseconds, unless the life is over by then. */
  after(milliseconds, act) {
    setTimeout(() => this.over || act(), milliseconds);
  }

  /** Listen to an event until the end. */
  listen(target, kind, act) {
    if (!this.over) target?.addEventListener?.(kind, act, { signal: this.signal });
  }
}
