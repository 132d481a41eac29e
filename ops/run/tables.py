"""`python -m ops.run.tables`: writes the tables of docs/ that are made from the code; `--check` names the stale ones."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic.fields import FieldInfo

from ops.run import codes
from shared.liveness.evidence import FITTED, SPECIES, Code
from shared.liveness.evidence.meanings import MEANINGS
from shared.liveness.evidence.weighing import Group
from shared.settings import Settings

_TOP = Path(__file__).resolve().parents[2]
EVIDENCE, SETTINGS = _TOP / "docs" / "evidence.md", _TOP / "docs" / "settings.md"
#: The file whose headings group the settings; a test holds that it names every setting once.
EXAMPLE = _TOP / ".env.example"
_BEGIN, _END = "<!-- made by `python -m ops.run.tables` -->\n", "<!-- end -->\n"


def evidence_table() -> str:
    """One row for each evidence code: its meaning, its species, and its bits for each group of challenges."""
    head = ["code", "what it says, and its score", "species", *(f"`{group}`" for group in Group), "decides"]
    return _table(
        head,
        [
            [f"`{code}`", MEANINGS[code], SPECIES[code], *(_bits(code, group) for group in Group), _decides(code)]
            for code in Code
        ],
    )


def _bits(code: Code, group: Group) -> str:
    """The bits of the best and of the worst score; a dash where the code is recorded and not weighed."""
    curve = FITTED.curves.get(code, {}).get(group)
    return "–" if curve is None else f"{curve.bits[0]:+.2g} … {curve.bits[-1]:+.2g}"


def _decides(code: Code) -> str:
    limit = FITTED.decisive.get(code)
    if limit is None:
        return "–"
    return f"from {limit:g}" if limit > 1e-3 else "above 0"


def settings_tables() -> str:
    """One table for each heading of `.env.example`: every setting's name, default, accepted values and description."""
    tables = []
    for heading, names in grouped_settings().items():
        rows = [_setting(name, Settings.model_fields[name.lower()]) for name in names]
        tables.append(f"## {heading.capitalize()}\n\n{_table(['name', 'default', 'accepts', 'meaning'], rows)}")
    return "\n".join(tables)


def grouped_settings() -> dict[str, list[str]]:
    """The names of the settings by the heading of `.env.example` that they stand under, in that file's order."""
    groups: dict[str, list[str]] = {}
    for heading, name in re.findall(r"^# --- (.+?) -+$|^#([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE):
        if heading:
            names = groups.setdefault(heading, [])
        elif name not in names:  # an example may show two values of one setting
            names.append(name)
    return groups


def _setting(name: str, field: FieldInfo) -> list[str]:
    return [
        f"`{name}`",
        _default(field),
        _accepted(field),
        _linked(field.description or "").removesuffix(" on or off."),
    ]


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        if not field.default_factory_takes_validated_data:
            return "computed"
        # Such a factory takes the value of another setting: given names in place of values, it returns that one's name.
        from_others = cast("Callable[[dict[str, Any]], Any]", field.default_factory)
        return f"`{from_others(_Names())}`"
    return _word(field.default) if field.default not in {None, ""} else "–"


class _Names(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return key.upper()


def _accepted(field: FieldInfo) -> str:
    """The values that a setting accepts, where its type or its bounds say so."""
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not NoneType]
    if get_origin(field.annotation) is Literal:
        return ", ".join(map(_word, kinds))
    if kinds == [bool]:
        return "`on`, `off`"
    if isinstance(kinds[0], type) and issubclass(kinds[0], Enum):
        return ", ".join(_word(member.value) for member in kinds[0])
    words = [words for bound in field.metadata if (words := _bound(bound))]
    if re.fullmatch(r"\S+ or more; \S+ at most", text := "; ".join(words)):
        return text.replace(" or more; ", " to ").removesuffix(" at most")
    return text.replace(";", ",")


def _bound(bound: object) -> str | None:
    match bound:
        case Gt(gt):
            return f"more than {gt:.12g}"
        case Ge(ge):
            return f"{ge:.12g} or more"
        case Lt(lt):
            return f"less than {lt:.12g}"
        case Le(le):
            return f"{le:.12g} at most"
        case MinLen(length) if length > 1:
            return f"{length} characters or more"
    return None


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "`on`" if value else "`off`"
    return f"`{value:.12g}`" if isinstance(value, float) else f"`{value}`"


def _linked(description: str) -> str:
    """A description as Markdown: names of settings, addresses and commands as code, pages of docs/ as links."""
    names = "|".join(sorted((name.upper() for name in Settings.model_fields), key=len, reverse=True))
    text = re.sub(rf"\b({names})\b(?!`)", r"`\1`", description.replace("|", r"\|"))
    text = re.sub(r"(?<!`)\b[a-z+]+://[^\s,;)]*(?<![.,:;])", r"`\g<0>`", text)
    text = re.sub(r"(?<![`\w/])ops/[a-z-]+", r"`\g<0>`", text)
    return re.sub(r"docs/([a-z-]+)\.md", r"[\1](\1.md)", text)


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))


#: Each page with a generated part, and the function that makes the part.
PAGES: dict[Path, Callable[[], str]] = {EVIDENCE: evidence_table, SETTINGS: settings_tables}


def renewed(text: str, tables: str) -> str:
    """The text of a page with its generated part replaced by `tables`; raises ValueError where the page has no such part."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError("The page has no place for its table")
    return f"{before}{begin}\n{tables}\n{end}{after}"


def main() -> int:
    """Write all generated parts, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a table is stale")
    check = parser.parse_args().check
    stale = codes.renew(check=check)
    for page, make in PAGES.items():
        text = page.read_text()
        fresh = renewed(text, make())
        if fresh == text:
            continue
        if check:
            print(f"{page.name} is stale: run python -m ops.run.tables")
            stale = 1
        else:
            page.write_text(fresh)
    return stale


if __name__ == "__main__":
    sys.exit(main())
