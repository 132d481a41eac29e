"""Reads the addresses of servers as platforms and people write them, and writes them as all client libraries read them.

A password is often pasted in with its special characters, which must be percent-encoded in a URL. Client libraries differ in
what they make of such an address: some cut it at a `#`, some take a part of the password for the host and log it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode

#: What surrounds a value that was pasted, or read from a file: white space, a byte order mark, zero-width spaces.
_AROUND = " \t\r\n\f\v\0\u00a0\u200b\u2060\ufeff"

_HOST = r"(?:\[[0-9A-Fa-f:.%]+\]|[\w.~%-]*)"
_QUERY = r"(?:\?[\w.~%-]+=[^#]*|\?)?"
#: What follows a user and a password: hosts with ports, a path, parameters.
_REST = re.compile(rf"({_HOST}(?::\d*)?(?:,{_HOST}(?::\d*)?)*)(/[^@?#\s]*)?({_QUERY})")
#: The same with anything for a port, to tell a wrong port from a wrong address.
_LOOSE = re.compile(rf"({_HOST}(?::[^@:/?#,]*)?)(/[^@?#\s]*)?({_QUERY})")
_ENCODED = re.compile(r"%(?![0-9A-Fa-f]{2})")


def bare(value: str) -> str:
    """A value without what is around it: white space, a byte order mark, and a pair of quotes around all of it.

    `docker run --env-file` and some platforms keep the quotes of a file that a shell would take away.
    """
    value = value.strip(_AROUND)
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip(_AROUND)
    return value


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of an address; `str` puts them together with everything encoded that must be."""

    scheme: str
    #: User and password, decoded; None if there is none.
    user: str | None
    password: str | None
    #: Hosts with their ports, separated by commas, as they were written.
    hosts: str
    #: The path with its slash, as it was written; empty if there is none.
    path: str
    #: The parameters behind the question mark, as they were written.
    query: str

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters, decoded."""
        return parse_qsl(self.query, keep_blank_values=True)

    def having(self, parameters: list[tuple[str, str]]) -> Address:
        """The same address with other parameters."""
        return replace(self, query=urlencode(parameters, quote_via=quote))

    def __str__(self) -> str:
        user = "" if self.user is None else quote(self.user, safe="")
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        at = "" if self.user is None else "@"
        question = "?" if self.query else ""
        return f"{self.scheme}://{user}{password}{at}{self.hosts}{self.path}{question}{self.query}"


def read(text: str, example: str) -> Address:
    """Read an address. Raises ValueError with a sentence that holds no part of the address; `example` is one in it."""
    scheme, _, rest = text.partition("://")
    if (found := _split(rest, _REST)) is None:
        if _split(rest, _LOOSE) is not None:
            raise ValueError(f"must have a number from 1 to 65535 as its port, as in {example}")
        raise ValueError(f"cannot be read: it must be written as {example}")
    userinfo, rest = found
    user, colon, password = userinfo.partition(":") if userinfo is not None else (None, "", "")
    parts = _REST.fullmatch(rest)
    assert parts is not None
    for port in re.findall(r":(\d*)(?=,|$)", re.sub(r"\[[^]]*\]", "", parts[1])):
        if port and not 0 < int(port) < 65536:
            raise ValueError(f"must have a number from 1 to 65535 as its port, as in {example}")
    return Address(
        scheme,
        None if user is None else _decoded(user),
        _decoded(password) if colon else None,
        parts[1],
        parts[2] or "",
        parts[3][1:],
    )


def _split(text: str, rest: re.Pattern[str]) -> tuple[str | None, str] | None:
    """User and password, and what follows them: they end at the first @ behind which all can be read; None: it cannot."""
    if rest.fullmatch(text):
        return None, text
    for at in (i for i, character in enumerate(text) if character == "@"):
        if rest.fullmatch(text, at + 1):
            return text[:at], text[at + 1 :]
    return None


def _decoded(text: str) -> str:
    """The text without percent-encoding; a text that has a % with anything else behind it was never encoded."""
    return text if _ENCODED.search(text) else unquote(text)
