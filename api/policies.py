"""The policy that a session's creation has to meet, and the creation as that policy leaves it.

POLICY holds for all callers. Beside it holds the caller's own: that of its API key, else CLIENT_POLICY for a `client` key.
What is not asked for follows the policy; what is asked for against it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from api.access import Caller, Who
from api.problems import ProblemError, refuse_faults
from api.schemas import Fault, SessionOptions
from shared.liveness.challenge import ChallengeType
from shared.liveness.evidence import Preset
from shared.policy import Policy, Range
from shared.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Permitted:
    """A creation's parameters within the policy."""

    preset: Preset
    num_challenges: int
    timeout_seconds: float
    #: The challenges to draw from, in the order of `ChallengeType`.
    challenge_types: tuple[ChallengeType, ...]
    mirrored: bool
    reveal: str
    #: The least score of a live session; None: the preset's.
    threshold: float | None
    #: The policy, as text.
    policy: str


def of(caller: Caller, settings: Settings) -> Policy:
    """The policy for a caller. Raises `outside_policy` if nothing can meet it."""
    own = caller.policy
    if own is None:
        own = settings.client_policy if caller.who is Who.CLIENT else settings.policy
    try:
        return Policy.parse(settings.policy, settings.preset) & Policy.parse(own, settings.preset)
    except ValueError as error:  # that of a key, made under other settings or by a later version
        log.error("policy.contradiction", key_id=caller.key_id, error=str(error))
        raise ProblemError(
            "outside_policy", "The policies of this key and of the service cannot both be met."
        ) from None


def permitted(query: SessionOptions, policy: Policy, settings: Settings) -> Permitted:
    """The creation as the policy leaves it. Raises `outside_policy` with each parameter that is asked for against it."""
    asked = _Asked(query)
    preset = query.preset or policy.strength(settings.preset)
    if not policy.permits(preset):
        asked.faults["preset"] = f"must be {policy.strength(preset)} here"
    found = Permitted(
        preset=preset,
        num_challenges=asked.count(policy.num_challenges),
        timeout_seconds=asked.number("timeout_seconds", policy.timeout_seconds),
        challenge_types=asked.choice(policy),
        mirrored=asked.only("mirrored", policy.mirrored),
        reveal=asked.only("reveal", policy.reveal),
        threshold=_threshold(query, policy, preset, settings),
        policy=str(policy),
    )
    asked.refuse()
    return found


class _Asked:
    """What a creation asks for, and what of it the policy does not permit."""

    def __init__(self, query: SessionOptions) -> None:
        self._query = query
        #: By parameter, what it must be.
        self.faults: dict[str, str] = {}

    def number(self, name: str, bounds: Range[Any]) -> Any:
        """A number within its bounds."""
        asked = getattr(self._query, name)
        nearest = bounds.nearest(asked)
        if nearest != asked and name in self._query.model_fields_set:
            self.faults[name] = f"must be {'at least' if asked < nearest else 'at most'} {nearest:g} here"
        return nearest

    def count(self, bounds: Range[int]) -> int:
        """The number of challenges: as many as are named, if they are."""
        named = self._query.challenges
        if named is None:
            return int(self.number("num_challenges", bounds))
        if len(named) not in bounds:
            nearest = bounds.nearest(len(named))
            self.faults["challenges"] = f"must name {'at least' if len(named) < nearest else 'at most'} {nearest} here"
        return len(named)

    def only(self, name: str, value: Any) -> Any:
        """The only permitted value; what is asked for if `value` is None."""
        asked = getattr(self._query, name)
        if value is None or asked == value:
            return asked
        if name in self._query.model_fields_set:
            self.faults[name] = f"must be {str(value).lower()} here"
        return value

    def choice(self, policy: Policy) -> tuple[ChallengeType, ...]:
        """The challenges to draw from."""
        named = self._query.types_named
        wanted = policy.drawable if named is None else named
        allowed = wanted - set(self._query.exclude)
        if fault := _fault_of_choice(policy, wanted):
            self.faults["challenge_types" if self._query.challenges is None else "challenges"] = fault
        elif fault := _fault_of_choice(policy, allowed):
            self.faults["exclude"] = fault
        return tuple(kind for kind in ChallengeType if kind in allowed)

    def refuse(self) -> None:
        """Raise `outside_policy` if there is any fault."""
        if self.faults:
            errors = [Fault(parameter=name, detail=fault) for name, fault in self.faults.items()]
            refuse_faults(errors, "outside_policy")


def _fault_of_choice(policy: Policy, allowed: frozenset[ChallengeType]) -> str | None:
    """What is wrong with the challenges left to draw from; None if the policy permits them."""
    if not allowed <= policy.drawable:
        return f"must be among {_names(policy.drawable)} here"
    if policy.exclude is not None and not policy.drawable - allowed <= policy.exclude:
        return f"must leave {_names(policy.drawable - policy.exclude)} to draw from here"
    if len(allowed) < (least := policy.kinds.least or 1):
        return f"must leave at least {least} of {_names(policy.drawable)} to draw from here"
    return None


def _names(kinds: frozenset[ChallengeType]) -> str:
    return ", ".join(kind for kind in ChallengeType if kind in kinds)


def _threshold(query: SessionOptions, policy: Policy, preset: Preset, settings: Settings) -> float | None:
    """LIVENESS_THRESHOLD, unless the caller names a preset in its place.

    A caller that may not choose a weaker preset cannot get below the operator's threshold by naming one either.
    """
    own = settings.liveness_threshold
    if own is None or query.preset is None:
        return own
    if policy.preset.least is None:
        return None
    return max(own, settings.weighing.thresholds[preset])
