"""Removes secrets and personal data from log lines, as the last step before a line is rendered.

No line should hold a picture, a descriptor, a key or a token; this module guards against future mistakes and against the
logs of libraries. It recognises them by type (bytes, arrays, long lists of numbers), by name (`authorization`, `token`, …)
and by pattern (a JWT, a bearer token, the password in an address, the secret of a webhook).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

#: Replacement for a secret.
HIDDEN = "[hidden]"
#: Least length of a list of numbers that is removed as a measurement of a person; a descriptor has 128.
MANY_NUMBERS = 12
#: Most characters of a text that are kept: useful lines are shorter, a picture in base64 is longer.
LONGEST = 8000

_SECRET_NAME = re.compile(
    r"(^|[_.-])(authorization|cookie|set[_-]cookie|password|passwd|secret|token|jwt|jws|api[_-]?key|x[_-]api[_-]key"
    r"|private[_-]key|signature|picture|image|jpeg|chip|descriptor|embedding|anchor)s?$",
    re.IGNORECASE,
)
_SECRET_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    # a JWS or JWT, whole or without its signature
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic|ApiKey)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # the secret of an API key (shared.api_keys); its id may stay
    (re.compile(r"\b(lk_[0-9a-f]{12}_)[A-Za-z0-9_-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]{8,}"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
    # the repr of bytes; and escaped bytes inside of a text: everything from the first to the last
    (re.compile(r"""\bb'(?:[^'\\]|\\.)*(?:'|$)|\bb"(?:[^"\\]|\\.)*(?:"|$)""", re.DOTALL), "[bytes]"),
    (re.compile(r"\\x[0-9a-f]{2}.*\\x[0-9a-f]{2}", re.DOTALL), "[bytes]"),
    # a picture or a descriptor in base64: no word, id or path has as many characters without a break
    (re.compile(r"\b[A-Za-z0-9+/_-]{200,}={0,2}"), "[base64]"),
    # a descriptor as text: many decimal numbers in a row
    (
        re.compile(rf"(?:[-+]?\d+\.\d+(?:e[-+]?\d+)?[\s,;]+){{{MANY_NUMBERS - 1},}}[-+]?\d+\.\d+(?:e[-+]?\d+)?"),
        "[numbers]",
    ),
)


def scrub(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the event without secrets and personal data. Must run just before the renderer."""
    return {name: HIDDEN if _is_secret(name, value) else _clean(value) for name, value in event.items()}


def _is_secret(name: str, value: object) -> bool:
    # Integers, booleans and None are no secrets: the size of a picture, or whether there is a token.
    return not isinstance(value, (bool, int, type(None))) and _SECRET_NAME.search(name) is not None


def _clean(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _clean_text(value)
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes]"
        case Mapping():
            return {
                str(name): HIDDEN if _is_secret(str(name), inner) else _clean(inner) for name, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            items = list(value)
            if len(items) >= MANY_NUMBERS and all(isinstance(item, (int, float)) for item in items):
                return f"[{len(items)} numbers]"
            return [_clean(item) for item in items]
    if hasattr(value, "__array__") or hasattr(value, "__buffer__"):
        return f"[{type(value).__name__}]"
    return _clean_text(str(value) if isinstance(value, BaseException) else repr(value))


def _clean_text(text: str) -> str:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    if len(text) < 8:
        return text
    for pattern, replacement in _SECRET_PATTERNS:
        text = pattern.sub(replacement, text)
    return text
