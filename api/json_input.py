"""Reading JSON bodies: what JSON does not know, or no answer could repeat, is refused as malformed.

Python reads more than JSON: NaN and Infinity as numbers, and half of a surrogate pair as a character, which cannot be
encoded again. A document that is nested deeply ends in a RecursionError, which is no ValueError.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from flask.json.provider import DefaultJSONProvider


class JsonInput(DefaultJSONProvider):
    """Flask's JSON, with a stricter `loads`."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """The document in `s`. Raises ValueError if it is not JSON."""
        try:
            found = super().loads(s, parse_constant=_refuse, **kwargs)
            json.dumps(found, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
