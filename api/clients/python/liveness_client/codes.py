"""Codes of the API that programs compare with. Made from the OpenAPI document by `python -m ops.run.tables`: do not edit."""

from __future__ import annotations

from typing import Literal

#: States of a session.
State = Literal["pending", "in_progress", "completed", "failed", "expired"]
#: States that a session never leaves.
ENDED = frozenset({"completed", "failed", "expired"})

#: Challenges, as in `Options` and `Challenge.type`.
ChallengeType = Literal[
    "TURN_LEFT",
    "TURN_RIGHT",
    "LOOK_UP",
    "LOOK_DOWN",
    "BLINK",
    "SMILE",
    "OPEN_MOUTH",
]
#: How much evidence a verdict asks for.
Preset = Literal["lenient", "standard", "strict"]

#: `Reply.hint_code` of frames that cannot be judged, by which no clock runs.
UNUSABLE = frozenset(
    {
        "no_face",
        "several_faces",
        "too_far",
        "too_close",
        "cut_off",
        "too_dark",
        "too_bright",
        "too_blurred",
    }
)

#: Problems of this version, as in `Refused.code`; a later version may have more.
PROBLEMS = frozenset(
    {
        "bad_request",
        "body_too_large",
        "camera_report",
        "coding_unknown",
        "database_unavailable",
        "delivery_not_found",
        "forbidden",
        "head_too_large",
        "host_not_allowed",
        "idempotency_key_in_use",
        "idempotency_key_reused",
        "identity_off",
        "image_empty",
        "image_missing",
        "image_not_a_file",
        "image_too_complex",
        "image_too_small",
        "internal_error",
        "invalid_parameter",
        "key_missing",
        "key_unknown",
        "malformed_form",
        "method_not_allowed",
        "metrics_token",
        "no_answer_in_time",
        "not_an_image",
        "not_found",
        "not_multipart",
        "other_browser",
        "other_session",
        "out_of_sequence",
        "outside_policy",
        "overloaded",
        "peer_not_allowed",
        "picture_too_large",
        "portrait_not_found",
        "queue_unavailable",
        "redis_unavailable",
        "session_ended",
        "session_not_found",
        "token_expired",
        "token_unknown",
        "too_many_attempts",
        "too_many_frames",
        "too_many_pixels",
        "too_many_references",
        "too_many_refusals",
        "too_many_sessions",
        "too_many_webhooks",
        "too_slow",
        "truncated_image",
        "unavailable",
        "unsupported_image",
        "uri_too_long",
        "verdict_not_found",
        "webhook_not_found",
        "webhook_url",
        "workers_behind",
    }
)
