"""Attacks made from recordings of a person, by species of presentation attack instrument (ISO/IEC 30107-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ops.evaluating.attacks.cutout import cut_out
from ops.evaluating.attacks.moved import bent_photo, moved_photo
from ops.evaluating.attacks.photos import photo_swap, same_frame, still
from ops.evaluating.attacks.recordings import identity_swap, replay
from ops.evaluating.attacks.studio import Studio
from ops.evaluating.cases import Case

#: Makers of attacks on a target. `screen_replay` is not among them: that one must be filmed.
SPECIES: dict[str, Callable[[Studio], Iterator[Case]]] = {
    "still": still,
    "moved_photo": moved_photo,
    "bent_photo": bent_photo,
    "photo_swap": photo_swap,
    "cut_out": cut_out,
    "replay": replay,
    "same_frame": same_frame,
    "identity_swap": identity_swap,
}
SCREEN_REPLAY = "screen_replay"
