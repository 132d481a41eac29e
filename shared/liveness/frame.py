"""An observation as it came into a session."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.observation import Observation


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a session; `at` is its arrival at the API."""

    id: str
    at: float
    observation: Observation
