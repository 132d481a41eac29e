/**
 * What can keep a check from going on. `code` is for programs and is stable:
 *
 * insecure_context  the page is not served over HTTPS (or from localhost): browsers then have no camera
 * unsupported       this browser has no camera interface
 * camera_denied     the person, or a policy of the page or system, refused the camera
 * camera_missing    there is no camera
 * camera_busy       another program has the camera, or it gives no picture
 * camera_lost       the camera went away during the check
 * network           the service could not be reached for too long
 * busy              the service asks to come again in `retryAfter` seconds (503 or 429)
 * not_allowed       the token is missing, wrong or over (401, 403)
 * session_gone      the service does not know the session (any more)
 * expired           the session outlived its time
 * refused           the service refuses the request; `detail` says why
 */
export class LivenessError extends Error {
  /**
   * @param {string} code
   * @param {string} [detail] a sentence for developers, in English
   * @param {{status?: number, problem?: string, retryAfter?: number, cause?: unknown}} [more]
   */
  constructor(code, detail = code, { status, problem, retryAfter, cause } = {}) {
    super(detail, { cause });
    this.name = "LivenessError";
    this.code = code;
    /** The HTTP status, and the service's own code of the problem, where there are any. */
    this.status = status;
    this.problem = problem;
    /** Seconds. */
    this.retryAfter = retryAfter;
  }
}
