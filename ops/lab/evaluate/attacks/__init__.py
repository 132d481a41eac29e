"""Attacks made from recordings of a person, by species of presentation attack instrument (ISO/IEC 30107-3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ops.lab.evaluate.attacks.animated import animated_photo
from ops.lab.evaluate.attacks.cutout import cut_out
from ops.lab.evaluate.attacks.faded import faded_photos
from ops.lab.evaluate.attacks.film import animated_film
from ops.lab.evaluate.attacks.gaps import gaps
from ops.lab.evaluate.attacks.morphed import morphed_photos
from ops.lab.evaluate.attacks.moved import bent_photo, moved_photo
from ops.lab.evaluate.attacks.photos import photo_swap, same_frame, still
from ops.lab.evaluate.attacks.recordings import identity_swap, replay
from ops.lab.evaluate.attacks.shimmering import shimmering_photo
from ops.lab.evaluate.attacks.silence import silence
from ops.lab.evaluate.attacks.slow import slow_photos
from ops.lab.evaluate.attacks.studio import Studio
from ops.lab.evaluate.cases import Case
from ops.lab.evaluate.manifest import GENERATED, SCREEN_REPLAY

#: Makers of attacks on a target.
SPECIES: dict[str, Callable[[Studio], Iterator[Case]]] = {
    "still": still,
    "moved_photo": moved_photo,
    "bent_photo": bent_photo,
    "photo_swap": photo_swap,
    "faded_photos": faded_photos,
    "morphed_photos": morphed_photos,
    "slow_photos": slow_photos,
    "gaps": gaps,
    "silence": silence,
    "cut_out": cut_out,
    "replay": replay,
    "same_frame": same_frame,
    "animated_photo": animated_photo,
    "shimmering_photo": shimmering_photo,
    "animated_film": animated_film,
    "identity_swap": identity_swap,
}
#: Species that are not made here: the manifest names recordings of them.
RECORDED = (SCREEN_REPLAY, GENERATED)
#: All species, in the order of the reports.
EVERY_SPECIES = (*SPECIES, *RECORDED)
