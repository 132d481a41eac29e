"""The form that nearly every client sends: one part, a file with plain headers. Anything else is werkzeug's to parse.

What is said here of a body is what werkzeug says of it, in a tenth of its time.
"""

from __future__ import annotations

import re

#: The part's headers as browsers, curl and the usual libraries write them; group 1 is its name.
_HEAD = re.compile(
    rb'Content-Disposition: form-data; name="([\w.-]*)"; filename="[^"\\\r\n%]*"\r\n'
    rb"(?:Content-Type: [\w.+/-]+\r\n)?"
    rb"\r\n"
)
#: Bytes within which the headers end.
_HEAD_WITHIN = 1024


def only_file(body: bytes, boundary: str) -> tuple[str, bytes] | None:
    """The name and content of a form's only part, a file; None where it is not as plain as that, or not well formed.

    ValueError: the boundary is not of ASCII.
    """
    delimiter = b"--" + boundary.encode("ascii")
    if not boundary or not body.startswith(delimiter + b"\r\n"):
        return None
    begin = len(delimiter) + 2
    head = _HEAD.match(body, begin, begin + _HEAD_WITHIN)
    if head is None:
        return None
    # The next delimiter is the last one, on a line of its own at the body's end.
    end = body.find(delimiter, head.end())
    if end < head.end() + 2 or body[end - 2 : end] != b"\r\n":
        return None
    if body[end + len(delimiter) :] not in (b"--\r\n", b"--"):
        return None
    return head[1].decode(), body[head.end() : end - 2]
