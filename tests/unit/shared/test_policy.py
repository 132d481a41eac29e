"""Policies: reading them, writing them, and holding two at once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.liveness.evidence import Preset
from shared.policy import LONGEST, Policy
from shared.settings import Settings


@pytest.mark.parametrize(
    "text",
    [
        "any",
        "preset=standard..",
        "preset=..standard",
        "preset=strict",
        "num_challenges=3..5 timeout_seconds=2.5..10 kinds=2..",
        "challenge_types=TURN_LEFT,SMILE exclude=SMILE mirrored=off reveal=next",
        "exclude=none mirrored=on",
    ],
)
def test_what_is_written_is_read_again(text: str) -> None:
    assert str(Policy.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "preset",
        "preset=",
        "preset=..",
        "preset=weak",
        "preset=strict..lenient",
        "num_challenges=0..",
        "num_challenges=5..3",
        "num_challenges=3_0",
        "timeout_seconds=..61",
        "timeout_seconds=nan..",
        "timeout_seconds=1e1",
        "kinds=8..",
        "kinds=3.. challenge_types=SMILE,BLINK",
        "challenge_types=",
        "challenge_types=NOD",
        "challenge_types=SMILE challenge_types=BLINK",
        "mirrored=maybe",
        "mirrored=on mirrored=off",
        "reveal=never",
        "portrait=on",
        "any preset=strict",
        "preset=strict " + " " * LONGEST,
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"bound|characters|leaves"):
        Policy.parse(text)


def test_two_policies_hold_at_once() -> None:
    one = Policy.parse("preset=standard.. num_challenges=2..6 challenge_types=SMILE,BLINK,LOOK_UP")
    two = Policy.parse(
        "preset=..standard num_challenges=4.. challenge_types=BLINK,LOOK_UP,LOOK_DOWN timeout_seconds=..9"
    )
    assert str(one & two) == "preset=standard num_challenges=4..6 timeout_seconds=..9 challenge_types=LOOK_UP,BLINK"
    with pytest.raises(ValueError, match="leaves"):
        _ = Policy.parse("preset=strict") & Policy.parse("preset=lenient")


def test_default_is_the_services_own_preset() -> None:
    assert str(Policy.parse("preset=default..", Preset.STRICT)) == "preset=strict.."
    assert str(Policy.parse("preset=default..", Preset.LENIENT)) == "preset=lenient.."


@pytest.mark.parametrize(
    "given", [{"policy": "preset=weak"}, {"client_policy": "kinds=9.."}, {"policy": "num_challenges=..2"}]
)
def test_a_policy_that_cannot_be_met_is_named_at_the_start(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(_env_file=None, **given)
    assert {str(fault["loc"][0]) for fault in raised.value.errors()} <= {"policy", "client_policy"}


def test_default_in_the_settings_is_their_own_preset() -> None:
    assert Settings(_env_file=None, policy="preset=lenient", preset="lenient").client_policy.startswith(
        "preset=default.."
    )
    with pytest.raises(ValidationError, match="together with POLICY"):
        Settings(_env_file=None, policy="preset=lenient", preset="standard")
