"""The codes of the API as its clients need them: files that `python -m ops.run.tables` makes from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from api import create_app
from api.docs import document
from shared.settings import Settings

_CLIENTS = Path(__file__).resolve().parents[2] / "api" / "clients"
_MADE = "Made from the OpenAPI document by `python -m ops.run.tables`: do not edit."


def openapi() -> dict[str, Any]:
    """The OpenAPI document of a service with default settings. Connects to nothing."""
    app = create_app(Settings(_env_file=None))
    with app.app_context():
        return document()


def python(schemas: dict[str, Any]) -> str:
    """The module `liveness_client.codes`."""
    return f'''"""Codes of the API that programs compare with. {_MADE}"""

from __future__ import annotations

from typing import Literal

#: States of a session.
State = Literal[{_strings(schemas["State"]["enum"])}]
#: States that a session never leaves.
ENDED = frozenset({_python_set(schemas["State"]["x-ended"])})

#: Challenges, as in `Options` and `Challenge.type`.
ChallengeType = Literal[{_python_lines(schemas["ChallengeType"]["enum"])}]
#: How much evidence a verdict asks for.
Preset = Literal[{_strings(schemas["Preset"]["enum"])}]

#: `Reply.hint_code` of frames that cannot be judged, by which no clock runs.
UNUSABLE = frozenset({_python_set(schemas["HintView"]["properties"]["code"]["x-unusable"])})

#: Problems of this version, as in `Refused.code`; a later version may have more.
PROBLEMS = frozenset({_python_set(_problems(schemas))})
'''


def javascript(schemas: dict[str, Any]) -> str:
    """The module `codes.js` of the browser client."""
    return f"""/** Codes of the API that the client compares with. {_MADE} */

/** States that a session never leaves. */
export const ENDED = new Set([{_strings(schemas["State"]["x-ended"])}]);

/** Codes of hints to frames that cannot be judged: while all frames are such, no clock runs. */
export const UNUSABLE = new Set([{_lines(schemas["HintView"]["properties"]["code"]["x-unusable"], "  ")}]);
"""


def typescript(schemas: dict[str, Any]) -> str:
    """The types of `codes.js`, and those of the codes that other declarations name."""
    return f"""/** Codes of the API. {_MADE} */

export type State ={_union(schemas["State"]["enum"])};
export type ChallengeType ={_union(schemas["ChallengeType"]["enum"])};
export type Preset ={_union(schemas["Preset"]["enum"])};
/** Problems of this version; a later version may have more. */
export type ProblemCode ={_union(_problems(schemas))};

/** States that a session never leaves. */
export const ENDED: ReadonlySet<State>;
/** Codes of hints to frames that cannot be judged. */
export const UNUSABLE: ReadonlySet<string>;
"""


#: Each file, and the function that makes its content from the schemas of the document.
FILES: dict[Path, Callable[[dict[str, Any]], str]] = {
    _CLIENTS / "browser" / "codes.js": javascript,
    _CLIENTS / "browser" / "codes.d.ts": typescript,
    _CLIENTS / "python" / "liveness_client" / "codes.py": python,
}


def renew(*, check: bool) -> int:
    """Write the files that are stale, or only name them; returns 1 if there are any and they were only named."""
    schemas = openapi()["components"]["schemas"]
    stale = {path: fresh for path, make in FILES.items() if _text(path) != (fresh := make(schemas))}
    for path, fresh in stale.items():
        if check:
            print(f"{path.name} is stale: run python -m ops.run.tables")
        else:
            path.write_text(fresh)
    return int(check and bool(stale))


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _problems(schemas: dict[str, Any]) -> list[str]:
    return sorted(schemas["Problem"]["properties"]["code"]["x-codes"])


def _strings(codes: Iterable[str]) -> str:
    return ", ".join(f'"{code}"' for code in codes)


def _lines(codes: Iterable[str], indent: str) -> str:
    """The codes as strings, one a line and each with a comma after it."""
    return "".join(f'\n{indent}"{code}",' for code in codes) + "\n"


def _python_lines(codes: list[str]) -> str:
    return _lines(codes, "    ") if len(_strings(codes)) > 80 else _strings(codes)


def _python_set(codes: list[str]) -> str:
    """A set's literal, as ruff formats it inside a call."""
    if len(_strings(codes)) <= 80:
        return f"{{{_strings(codes)}}}"
    return f"\n    {{{_lines(codes, ' ' * 8)}    }}\n"


def _union(codes: list[str]) -> str:
    return "".join(f'\n  | "{code}"' for code in codes)
