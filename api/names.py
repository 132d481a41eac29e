"""Names that a call does not know: each is refused with the name that it may have been meant as, and all known ones."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from api.schemas import Fault

#: Unknown names that an answer tells of, and characters of each: a query may hold thousands.
MOST, LONGEST = 10, 60


def unknown(names: Iterable[str], known: Iterable[str], kind: str) -> list[Fault]:
    """A fault for each name that is not known, with the name that it may have been meant as, and all that are.

    kind: what the names stand for, such as "parameter".
    """
    known = list(known)
    strange = [name[:LONGEST] for name in dict.fromkeys(names) if name not in known][:MOST]
    # The first one tells what is known; the others need not repeat it.
    return [Fault(parameter=name, detail=_said_of(name, known, kind, whole=not at)) for at, name in enumerate(strange)]


def _said_of(name: str, known: list[str], kind: str, *, whole: bool) -> str:
    said = f"is no {kind} of this call"
    meant = _meant(name, known)
    if meant is not None:
        said += f": did you mean {meant}?"
    if not whole:
        return said
    if not known:
        return f"{said}, which takes none"
    return f"{said}{' It' if meant else ', which'} takes {', '.join(known)}"


def _meant(name: str, known: list[str]) -> str | None:
    """The known name that is nearest to this one; None if none is near."""
    plain = {_plain(one): one for one in known}
    given = _plain(name)
    near = get_close_matches(given, plain, n=1, cutoff=0.6) or [
        one for one in plain if len(given) >= 3 and (one.startswith(given) or one.endswith(given))
    ]
    return plain[near[0]] if near else None


def _plain(name: str) -> str:
    """A name without what styles of writing differ in: numChallenges, num-challenges."""
    return "".join(filter(str.isalnum, name)).lower()
