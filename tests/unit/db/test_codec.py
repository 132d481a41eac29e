from __future__ import annotations

import json

import msgspec
import pytest

from shared.db import codec
from shared.liveness.evidence import Code, Finding
from shared.liveness.held import Held
from shared.liveness.observation import Observation
from shared.liveness.options import Options
from tests.unit.db import samples


def test_an_observation_survives() -> None:
    assert codec.decode_observation(codec.encode_observation(samples.observation())) == samples.observation()


def test_an_observation_without_a_face_survives() -> None:
    assert codec.decode_observation(codec.encode_observation(Observation(faces=0))) == Observation(faces=0)


def test_a_result_survives() -> None:
    result = samples.result(samples.new_id())
    assert codec.decode_result(codec.encode_result(result)) == result


def test_a_row_of_another_version_is_read() -> None:
    """Fields with a default may be missing, and unknown ones are passed over."""
    row = msgspec.msgpack.encode({"faces": 1, "added_later": [1, 2]})
    assert codec.decode_observation(row) == Observation(faces=1)


def test_findings_options_and_identity_survive_as_json() -> None:
    findings, options = samples.findings(), Options(pauses=(0.5, 2 / 3), threshold=1 / 3)
    assert codec.findings_of(json.loads(json.dumps(codec.plain(findings)))) == findings
    assert codec.options_of(json.loads(json.dumps(codec.plain(options)))) == options
    for identity in (samples.identity(), None):
        assert codec.identity_of(json.loads(json.dumps(codec.plain(identity)))) == identity


def test_a_gesture_that_has_been_met_survives_with_its_findings() -> None:
    held, plain = samples.held(), codec.plain(samples.identity())
    assert codec.held_of(json.loads(json.dumps(codec.plain(held))), plain) == held
    assert codec.held_of(None, plain) is codec.held_of(None, None) is None


def test_of_a_gesture_that_an_earlier_worker_held_nothing_counts_as_seen() -> None:
    """It kept it with the identity, without what the judges had found."""
    known = samples.identity()
    identity = {**codec.plain(known), "held": {"at": 12.5, "confidence": 0.75}}
    assert codec.held_of(None, identity) == Held(12.5, 0.75, (Finding(Code.UNSEEN, 1.0),))
    assert codec.held_of(codec.plain(samples.held()), identity) == samples.held(), "what a later one held is newer"
    assert codec.identity_of(identity) == known, "and is passed over where it was"
    assert codec.held_of(None, {**identity, "held": None}) is None


def test_a_finding_that_is_not_known_is_refused() -> None:
    """Passed over it would be lost when the session is saved again: a verdict must not come to rest on less."""
    with pytest.raises(msgspec.ValidationError):
        codec.findings_of([{"code": "of a later version", "score": 1.0}])


def test_nonsense_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        codec.decode_observation(msgspec.msgpack.encode({"faces": "many"}))
