"""A frame of a session: an observation with its id and time of arrival."""

from __future__ import annotations

from dataclasses import dataclass

from shared.liveness.observation import Observation


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a session."""

    id: str
    #: When the frame arrived at the API, in seconds since the epoch.
    at: float
    observation: Observation
