/** Codes of the API. Made from the OpenAPI document by `python -m ops.run.tables`: do not edit. */

export type State =
  | "pending"
  | "in_progress"
  | "completed"
  | "failed"
  | "expired";
export type ChallengeType =
  | "TURN_LEFT"
  | "TURN_RIGHT"
  | "LOOK_UP"
  | "LOOK_DOWN"
  | "BLINK"
  | "SMILE"
  | "OPEN_MOUTH";
export type Preset =
  | "lenient"
  | "standard"
  | "strict";
/** Problems of this version; a later version may have more. */
export type ProblemCode =
  | "bad_request"
  | "body_too_large"
  | "camera_report"
  | "coding_unknown"
  | "database_unavailable"
  | "delivery_not_found"
  | "forbidden"
  | "head_too_large"
  | "host_not_allowed"
  | "idempotency_key_in_use"
  | "idempotency_key_reused"
  | "identity_off"
  | "image_empty"
  | "image_missing"
  | "image_not_a_file"
  | "image_too_complex"
  | "image_too_small"
  | "internal_error"
  | "invalid_parameter"
  | "key_missing"
  | "key_unknown"
  | "malformed_form"
  | "method_not_allowed"
  | "metrics_token"
  | "no_answer_in_time"
  | "not_an_image"
  | "not_found"
  | "not_multipart"
  | "other_browser"
  | "other_session"
  | "out_of_sequence"
  | "outside_policy"
  | "overloaded"
  | "peer_not_allowed"
  | "picture_too_large"
  | "portrait_not_found"
  | "queue_unavailable"
  | "redis_unavailable"
  | "session_ended"
  | "session_not_found"
  | "token_expired"
  | "token_unknown"
  | "too_many_attempts"
  | "too_many_frames"
  | "too_many_pixels"
  | "too_many_references"
  | "too_many_refusals"
  | "too_many_sessions"
  | "too_many_webhooks"
  | "too_slow"
  | "truncated_image"
  | "unavailable"
  | "unsupported_image"
  | "uri_too_long"
  | "verdict_not_found"
  | "webhook_not_found"
  | "webhook_url";

/** States that a session never leaves. */
export const ENDED: ReadonlySet<State>;
/** Codes of hints to frames that cannot be judged. */
export const UNUSABLE: ReadonlySet<string>;
