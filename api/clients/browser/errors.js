/**
 * The error of a check that cannot go on. `code` is stable, for programs:
 *
 * insecure_context  the page is not served over HTTPS (or from localhost), so that the browser gives no camera
 * unsupported       this browser has no camera interface
 * camera_denied     the person, or a policy of the page or system, refused the camera
 * camera_missing    there is no camera
 * camera_busy       another program has the camera, or it gives no picture
 * camera_lost       the camera was disconnected or switched off during the check
 * camera_frozen     the camera gives the same picture all the time
 * camera_slow       the camera gives too few pictures a second to follow a face: fewer than about two and a half
 * pixels_withheld   the browser gives the page no pictures, or false ones, as some privacy modes do
 * network           the service could not be reached for too long
 * busy              the service asks the client to come again in `retryAfter` seconds (503 or 429)
 * not_allowed       the token is missing, wrong or expired (401, 403)
 * session_gone      the service does not know the session, or not any more
 * expired           the session outlived its time
 * interrupted       a challenge's time went by while the page was in the background or the service away, and the session was given
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
    /** The HTTP status, and the service's code of the problem; undefined without an answer. */
    this.status = status;
    this.problem = problem;
    /** Seconds after which to try again; undefined if the service does not say. */
    this.retryAfter = retryAfter;
  }
}
