"""What must not be in a log line is taken out of it: the last step before a line is written.

No line is meant to hold a picture, a descriptor, a key or a token. This is for the line that somebody writes tomorrow, and
for what libraries say: by kind (bytes, arrays, long rows of numbers), by name (`authorization`, `token`, …) and by look
(a JWT, a bearer token, the password in an address, the secret of a webhook).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from structlog.typing import EventDict

#: What stands in the place of a secret.
HIDDEN = "[hidden]"
#: Numbers in a row from which on they are taken for measurements of somebody: a descriptor has 128.
MANY_NUMBERS = 12
#: Characters of a text that are kept: no line that is of use is longer, but a picture in base64 is.
LONGEST = 8000

_SECRET_NAME = re.compile(
    r"(^|[_.-])(authorization|cookie|set[_-]cookie|password|passwd|secret|token|jwt|jws|api[_-]?key|x[_-]api[_-]key"
    r"|private[_-]key|signature|picture|image|jpeg|chip|descriptor|embedding|anchor)s?$",
    re.IGNORECASE,
)
_LOOKS_SECRET: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host
    (re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/@]+@", re.IGNORECASE), rf"\1:{HIDDEN}@"),
    # a JWS or JWT, whole or without its signature
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic|ApiKey)\s+[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # an API key (shared.api_keys): its id says which one, and may stay
    (re.compile(r"\b(lk_[0-9a-f]{12}_)[A-Za-z0-9_-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]{8,}"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL), HIDDEN),
    # bytes as Python writes them, and bytes within a text that was written so once more: all between the first and the last
    (re.compile(r"""\bb'(?:[^'\\]|\\.)*(?:'|$)|\bb"(?:[^"\\]|\\.)*(?:"|$)""", re.DOTALL), "[bytes]"),
    (re.compile(r"\\x[0-9a-f]{2}.*\\x[0-9a-f]{2}", re.DOTALL), "[bytes]"),
    # a picture or a descriptor in base64: no word, id or path is that long without a break
    (re.compile(r"\b[A-Za-z0-9+/_-]{200,}={0,2}"), "[base64]"),
    # a descriptor that was made text: many numbers with decimals in a row
    (
        re.compile(rf"(?:[-+]?\d+\.\d+(?:e[-+]?\d+)?[\s,;]+){{{MANY_NUMBERS - 1},}}[-+]?\d+\.\d+(?:e[-+]?\d+)?"),
        "[numbers]",
    ),
)


def scrub(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The last step but one of structlog's: the same event, without what must not be in it."""
    return {name: HIDDEN if _secret(name, value) else _clean(value) for name, value in event.items()}


def _secret(name: str, value: object) -> bool:
    # How many bytes a picture has is no secret, nor whether there is a token.
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
            return {str(name): HIDDEN if _secret(str(name), inner) else _clean(inner) for name, inner in value.items()}
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
    for pattern, instead in _LOOKS_SECRET:
        text = pattern.sub(instead, text)
    return text
