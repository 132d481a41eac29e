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
    """JSON whose depth is bounded and whose texts are Unicode, so that they can be stored, logged and answered with."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse a document. Raises ValueError for one that is no JSON, too deep, or holds half of a surrogate pair."""
        try:
            parsed = super().loads(s, parse_constant=_refuse_constant, **kwargs)
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        _refuse_unfit(parsed)
        return parsed


def install(app: Flask) -> None:
    """Have the app read its bodies by `StrictJSON`."""
    app.json = StrictJSON(app)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number in JSON")  # Python reads NaN and Infinity


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
