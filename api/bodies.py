"""Bodies of JSON: what cannot be parsed, stored or answered with is refused before a schema sees the body.

flask-openapi reads every body by `app.json`, and answers 422 `invalid_parameter` if that raises ValueError.
"""

from __future__ import annotations

from typing import Any, NoReturn

from flask import Flask
from flask.json.provider import DefaultJSONProvider

#: Most levels of lists and objects in a body; the API's own bodies have two.
DEEPEST = 32


class StrictJSON(DefaultJSONProvider):
    """JSON whose depth is bounded, whose texts are Unicode (to be stored and answered with), and whose names are unique."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse a document.

        Raises ValueError for one that is no JSON, is too deep, holds half of a surrogate pair, or a name twice.
        """
        try:
            parsed = super().loads(s, parse_constant=_refuse_constant, object_pairs_hook=_object, **kwargs)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        _refuse_unfit(parsed)
        return parsed


def install(app: Flask) -> None:
    """Have the app read its bodies by `StrictJSON`."""
    app.json = StrictJSON(app)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")  # Python reads NaN and Infinity


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its names and values; Python would take the last value of a name that is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice in one object")
    return found


def _refuse_unfit(parsed: Any) -> None:
    level = [parsed]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                value.encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
            elif isinstance(value, list):
                below += value
            elif isinstance(value, dict):
                below += value
                below += value.values()
        if not below:
            return
        level = below
    raise ValueError("is nested too deeply")
