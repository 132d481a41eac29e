/** Codes of the API that the client compares with. Made from the OpenAPI document by `python -m ops.run.tables`: do not edit. */

/** States that a session never leaves. */
export const ENDED = new Set(["completed", "failed", "expired"]);

/** Codes of hints to frames that cannot be judged: while all frames are such, no clock runs. */
export const UNUSABLE = new Set([
  "no_face",
  "several_faces",
  "too_far",
  "too_close",
  "cut_off",
  "too_dark",
  "too_bright",
  "too_blurred",
]);
