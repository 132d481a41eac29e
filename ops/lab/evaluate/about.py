"""The description of a run that its report states."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

from ops.lab.evaluate.job import Setup
from ops.lab.evaluate.manifest import Manifest
from ops.lab.evaluate.plan import Wanted
from ops.run.revision import revision


@dataclass(frozen=True, slots=True)
class About:
    """One run."""

    made_at: str
    #: The code's revision; "+" when files were changed since.
    revision: str
    manifest: str
    #: SHA-256 of the manifest, first 16 hex digits.
    manifest_digest: str
    people: int
    #: The manifest's attributes of each person.
    attributes: dict[str, dict[str, str | bool | float]]
    segments: int
    #: Frames a second of the gestures, and of whole sessions and attacks.
    rates: list[float]
    session_rates: list[float]
    engines: list[str]
    parts: list[str]
    timeout: float
    seed: int
    rounds: int
    #: Whether faces were compared; without that, identity swaps are seen only by chance.
    identity: bool
    #: The kind of camera, and the kind of client.
    filming: str
    client: str
    #: The description of the weights that verdicts were made with.
    weights: dict[str, str]
    #: Whether each verdict is by weights that were fitted without the person.
    people_left_out: bool
    versions: dict[str, str]
    machine: str
    seconds: float = 0.0


def about(manifest: Manifest, setup: Setup, wanted: Wanted, *, seconds: float, people_left_out: bool = False) -> About:
    """The description of a run that took `seconds`."""
    packages = ("numpy", "opencv-python-headless", "dlib-bin")
    return About(
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        revision=revision(),
        manifest=setup.manifest.name,
        manifest_digest=hashlib.sha256(setup.manifest.read_bytes()).hexdigest()[:16],
        people=len(manifest.people),
        attributes={p.name: dict(p.about) for p in manifest.people if p.about},
        segments=sum(len(p.segments) for p in manifest.people),
        rates=wanted.rates,
        session_rates=wanted.session_rates,
        engines=wanted.engines,
        parts=wanted.parts,
        timeout=setup.timeout,
        seed=setup.seed,
        rounds=setup.rounds,
        identity=setup.identity,
        filming=setup.filming,
        client=setup.client,
        weights=dict(setup.weighing.made),
        people_left_out=people_left_out,
        versions={"python": platform.python_version()} | {name: version(name) for name in packages},
        machine=f"{platform.system()} {platform.machine()}",
        seconds=round(seconds),
    )
