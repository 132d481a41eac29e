"""What a report must say about itself: from what, when, with what it was made."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ops.evaluating.manifest import Manifest
from ops.lib.revision import revision


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
    segments: int
    rates: list[float]
    engines: list[str]
    parts: list[str]
    timeout: float
    seed: int
    rounds: int
    #: Whether faces were compared: without it, identity swaps can only be seen by chance.
    identity: bool
    #: As which camera it was filmed.
    filming: str
    versions: dict[str, str]
    machine: str
    seconds: float = 0.0


def about(
    path: Path,
    manifest: Manifest,
    *,
    rates: list[float],
    engines: list[str],
    parts: list[str],
    timeout: float,
    seed: int,
    rounds: int,
    identity: bool,
    filming: str,
    seconds: float,
) -> About:
    """Of a run that took `seconds`."""
    packages = ("numpy", "opencv-python-headless", "dlib-bin")
    return About(
        made_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        revision=revision(),
        manifest=path.name,
        manifest_digest=hashlib.sha256(path.read_bytes()).hexdigest()[:16],
        people=len(manifest.people),
        segments=sum(len(p.segments) for p in manifest.people),
        rates=rates,
        engines=engines,
        parts=parts,
        timeout=timeout,
        seed=seed,
        rounds=rounds,
        identity=identity,
        filming=filming,
        versions={"python": platform.python_version()} | {name: version(name) for name in packages},
        machine=f"{platform.system()} {platform.machine()}",
        seconds=round(seconds),
    )
