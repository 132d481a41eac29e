"""How findings become a verdict: what holds of every weighing, of the one that the service comes with above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.liveness.challenge import HEAD_MOVEMENTS, ChallengeType
from shared.liveness.evidence import FITTED, Code, Finding, Preset, Weighing, examine, weighs_against
from shared.liveness.evidence.weighing import DECIDES, Curve, Group, Verdict, group_of
from shared.liveness.frame import Frame
from tests.unit.liveness.people import ALIVE, PHOTO, T0, observe
from tests.unit.liveness.weights import OF_IDENTITY, WEIGHTS, alive, attack, everywhere

BLINK, SMILE, TURN_LEFT = ChallengeType.BLINK, ChallengeType.SMILE, ChallengeType.TURN_LEFT
WEIGHINGS = pytest.mark.parametrize("weighing", [FITTED, WEIGHTS], ids=["fitted", "tests"])
#: One challenge of each group, three of them, and as many as a session can have.
ASKED = [[TURN_LEFT], [BLINK], [SMILE], [TURN_LEFT, BLINK, SMILE], (list(ChallengeType) * 2)[:10]]
CHALLENGES = st.lists(st.sampled_from(ChallengeType), min_size=1, max_size=10)
#: Signs that anybody may show: a window frame behind them, a quick head, a jump of the picture.
WEAK = (Code.SCREEN, Code.ABRUPT, Code.CUT)


def of_each(weighing: Weighing, asked: Sequence[ChallengeType], *, against: bool = False) -> list[Finding]:
    """What is found over a session where all judges say the same as plainly as they can."""
    plainly = attack if against else alive
    return [f for count in range(len(asked)) for f in plainly(weighing, asked[: count + 1])]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[ChallengeType], list[Finding]]:
    """Challenges, and findings about some of them."""
    asked = draw(CHALLENGES)
    found = st.builds(
        Finding,
        st.sampled_from(Code),
        st.floats(0, 300) | st.floats(0, 1.5),
        st.none() | st.integers(0, len(asked) - 1),
    )
    return asked, draw(st.lists(found, min_size=1, max_size=20))


class TestTheServicesOwn:
    """What every fit must keep, whatever its numbers."""

    @WEIGHINGS
    def test_every_curve_falls(self, weighing: Weighing) -> None:
        for curves in weighing.curves.values():
            for curve in curves.values():
                assert len(curve.scores) == len(curve.bits) > 0
                assert all(low < high for low, high in pairwise(curve.scores))
                assert all(better >= worse for better, worse in pairwise(curve.bits))

    @WEIGHINGS
    def test_stricter_presets_ask_for_more(self, weighing: Weighing) -> None:
        lenient, standard, strict = (weighing.thresholds[preset] for preset in Preset)
        assert 0 < lenient < standard < strict < 1

    @WEIGHINGS
    @pytest.mark.parametrize("asked", ASKED, ids=len)
    def test_who_plainly_lives_is_live_under_every_preset(self, weighing: Weighing, asked: list[ChallengeType]) -> None:
        score = weighing.weigh(of_each(weighing, asked), asked).score
        assert score >= max(weighing.thresholds.values())

    @WEIGHINGS
    @pytest.mark.parametrize("asked", ASKED, ids=len)
    def test_what_is_plainly_an_attack_is_not_live(self, weighing: Weighing, asked: list[ChallengeType]) -> None:
        score = weighing.weigh(of_each(weighing, asked, against=True), asked).score
        assert score < min(weighing.thresholds.values())

    @WEIGHINGS
    @pytest.mark.parametrize("asked", ASKED, ids=len)
    def test_nothing_found_is_not_live(self, weighing: Weighing, asked: list[ChallengeType]) -> None:
        """The burden of proof is the session's: what no judge could see does not count in its favour."""
        silent = weighing.weigh([], asked)
        assert silent.score < min(weighing.thresholds.values())
        assert silent.score == pytest.approx(1 / (1 + 2**-weighing.prior), abs=1e-4)
        assert silent.gravest is None

    @pytest.mark.parametrize("code", WEAK)
    @pytest.mark.parametrize("asked", ASKED, ids=len)
    def test_a_single_weak_sign_turns_nobody_away(self, code: Code, asked: list[ChallengeType]) -> None:
        """At its worst, in one challenge of a person whose other judges are all at their best."""
        curve = FITTED.curves.get(code, {}).get(group_of(asked[0]))
        worst = Finding(code, curve.scores[-1] if curve else 1e9, 0)
        findings = [f for f in of_each(FITTED, asked) if (f.code, f.challenge) != (code, 0)]
        assert FITTED.weigh([*findings, worst], asked).score >= FITTED.thresholds[Preset.STANDARD]

    @WEIGHINGS
    def test_that_too_little_was_seen_decides(self, weighing: Weighing) -> None:
        """However little lacks, as far as it is told."""
        assert weighing.decisive[Code.UNSEEN] <= 0.0001
        assert 0 < weighing.decisive[Code.REPEATED] < 1

    @WEIGHINGS
    @pytest.mark.parametrize("asked", ASKED, ids=len)
    @pytest.mark.parametrize("code", [Code.UNSEEN, Code.REPEATED])
    def test_what_decides_is_outweighed_by_nothing(
        self, weighing: Weighing, asked: list[ChallengeType], code: Code
    ) -> None:
        """Not by a session of the most challenges whose judges are all at their best."""
        findings = [*of_each(weighing, asked), Finding(code, weighing.decisive[code], len(asked) - 1)]
        verdict = weighing.weigh(findings, asked)
        assert verdict.score < min(weighing.thresholds.values())
        assert verdict.gravest is not None
        assert verdict.gravest.code is code

    @WEIGHINGS
    def test_the_worst_of_everything_can_be_told(self, weighing: Weighing) -> None:
        """Odds of a thousand bits are a score of nothing, and no error."""
        asked = (list(ChallengeType) * 2)[:10]
        decided = [Finding(code, 1.0, at) for code in weighing.decisive for at in range(len(asked))]
        assert weighing.weigh([*of_each(weighing, asked, against=True), *decided], asked).score == 0


@WEIGHINGS
@given(cases(), st.integers(0), st.floats(0, 300))
def test_a_worse_finding_never_helps(
    weighing: Weighing, case: tuple[list[ChallengeType], list[Finding]], which: int, more: float
) -> None:
    asked, findings = case
    worse = list(findings)
    at = which % len(worse)
    worse[at] = replace(worse[at], score=worse[at].score + more)
    assert weighing.weigh(worse, asked).score <= weighing.weigh(findings, asked).score


@WEIGHINGS
@given(cases(), st.integers(0))
def test_what_was_not_seen_counts_for_nothing(
    weighing: Weighing, case: tuple[list[ChallengeType], list[Finding]], which: int
) -> None:
    """Without a finding the odds are what they are without its bits: no less where it was in favour, no more where not."""
    asked, findings = case
    verdict = weighing.weigh(findings, asked)
    at = which % len(findings)
    bits = verdict.findings[at].bits
    assert bits is not None
    without = weighing.weigh([*findings[:at], *findings[at + 1 :]], asked)
    assert (without.score <= verdict.score) if bits > 0 else (without.score >= verdict.score)
    if 0.01 < verdict.score < 0.99 and abs(bits) < 3:
        odds, left = (v.score / (1 - v.score) for v in (verdict, without))
        assert odds / left == pytest.approx(2**bits, rel=0.05)


@WEIGHINGS
@given(cases())
def test_a_verdict_is_a_share_and_keeps_its_findings_as_they_are(
    weighing: Weighing, case: tuple[list[ChallengeType], list[Finding]]
) -> None:
    asked, findings = case
    verdict = weighing.weigh(findings, asked)
    assert 0 <= verdict.score <= 1
    assert [replace(f, bits=None) for f in verdict.findings] == findings
    assert all(f.bits is not None for f in verdict.findings)
    assert verdict == weighing.weigh(verdict.findings, asked), "weighed twice is weighed once"


class TestACurve:
    CURVE = Curve((0.0, 1.0, 3.0), (2.0, 0.0, -4.0))

    @pytest.mark.parametrize(("score", "bits"), [(-1, 2), (0, 2), (0.5, 1), (1, 0), (2, -2), (3, -4), (99, -4)])
    def test_is_straight_between_its_knots_and_level_beyond(self, score: float, bits: float) -> None:
        assert self.CURVE(score) == bits

    def test_of_one_knot_is_level(self) -> None:
        assert Curve((1.0,), (-2.0,))(0.0) == Curve((1.0,), (-2.0,))(5.0) == -2

    @given(st.floats(-10, 10), st.floats(-10, 10))
    def test_falls(self, one: float, other: float) -> None:
        low, high = sorted((one, other))
        assert self.CURVE(low) >= self.CURVE(high)


class TestAWeighing:
    ONE = Weighing(
        curves={
            Code.STIFF: {
                Group.HEAD: Curve((0.0, 1.0), (1.0, -1.0)),
                Group.EYES: Curve((0.0, 1.0), (2.0, -2.0)),
                Group.MOUTH: Curve((0.0, 1.0), (4.0, -4.0)),
            },
            Code.FLAT: everywhere((0.0, 1.0), (0.0, -3.0)),
        },
        prior=0.0,
        scales=(1.0, 0.5, 0.25),
        thresholds={Preset.LENIENT: 0.3, Preset.STANDARD: 0.5, Preset.STRICT: 0.8},
        decisive={Code.REPEATED: 0.3},
    )

    @pytest.mark.parametrize(("score", "expected"), [(0.0, 2 / 3), (0.5, 1 / 2), (1.0, 1 / 3)])
    def test_a_bit_doubles_the_odds(self, score: float, expected: float) -> None:
        assert self.ONE.weigh([Finding(Code.STIFF, score, 0)], [TURN_LEFT]).score == pytest.approx(expected, abs=1e-4)

    def test_bits_add_up_and_the_prior_counts_once(self) -> None:
        findings = [Finding(Code.STIFF, 0.0, 0), Finding(Code.FLAT, 1.0, 0)]
        verdict = replace(self.ONE, prior=-2.0).weigh(findings, [TURN_LEFT])
        assert [f.bits for f in verdict.findings] == [1, -3]
        assert verdict.score == pytest.approx(1 / (1 + 2**4), abs=1e-4)

    @pytest.mark.parametrize(("count", "scale"), [(1, 1.0), (2, 0.5), (3, 0.25), (4, 0.25), (10, 0.25)])
    def test_what_several_challenges_show_counts_less_each(self, count: int, scale: float) -> None:
        """One person's challenges are not independent; the last scale holds for more of them."""
        verdict = self.ONE.weigh([Finding(Code.STIFF, 0.0, 0)], [BLINK] * count)
        assert verdict.findings[0].bits == 2 * scale

    @pytest.mark.parametrize(("position", "bits"), [(0, 0.25), (1, 0.5), (2, 1.0), (None, 0.25)])
    def test_each_finding_weighs_by_what_its_challenge_asks_for(self, position: int | None, bits: float) -> None:
        """One about the session as a whole by the first."""
        found = self.ONE.weigh([Finding(Code.STIFF, 0.0, position)], [TURN_LEFT, BLINK, SMILE]).findings
        assert [f.bits for f in found] == [bits]

    def test_a_judge_without_a_curve_is_recorded_and_weighs_nothing(self) -> None:
        verdict = self.ONE.weigh([Finding(Code.CUT, 9.0, 0)], [SMILE])
        assert (verdict.score, verdict.findings, verdict.gravest) == (0.5, [Finding(Code.CUT, 9.0, 0, bits=0.0)], None)

    @pytest.mark.parametrize(("score", "bits"), [(0.2999, 0.0), (0.3, DECIDES), (1.0, DECIDES)])
    def test_a_judge_decides_from_its_limit_on(self, score: float, bits: float) -> None:
        """Whatever the number of challenges."""
        for asked in ([SMILE], [SMILE, BLINK, TURN_LEFT]):
            assert self.ONE.weigh([Finding(Code.REPEATED, score, 0)], asked).findings[0].bits == bits

    def test_what_decides_is_all_there_is(self) -> None:
        """Whatever the prior and the others' bits, which are told all the same."""
        findings = [Finding(Code.STIFF, 0.0, 0), Finding(Code.REPEATED, 0.3, 0)]
        verdict = replace(self.ONE, prior=100.0).weigh(findings, [TURN_LEFT])
        assert verdict.score == 0
        assert [f.bits for f in verdict.findings] == [1, DECIDES]

    @pytest.mark.parametrize("kind", ChallengeType)
    def test_every_challenge_has_a_group(self, kind: ChallengeType) -> None:
        expected = Group.HEAD if kind in HEAD_MOVEMENTS else Group.EYES if kind is BLINK else Group.MOUTH
        assert group_of(kind) is expected


class TestTheGravest:
    def test_is_the_one_with_the_fewest_bits(self) -> None:
        findings = [Finding(Code.FLAT, 0.1, 0, -1.5), Finding(Code.STIFF, 1, 0, -6), Finding(Code.MIXED, 1, 0, -5)]
        assert Verdict(0.1, findings).gravest == findings[1]

    def test_is_none_where_nothing_weighs_against(self) -> None:
        assert Verdict(0.4, [Finding(Code.FLAT, 0.1, 0, 0.0), Finding(Code.STIFF, 0, 0, 2.0)]).gravest is None
        assert Verdict(0.4, [Finding(Code.FLAT, 0.1, 0)]).gravest is None, "nor before anything is weighed"

    @pytest.mark.parametrize(("bits", "against"), [(None, False), (1.0, False), (-0.999, False), (-1.0, True)])
    def test_a_finding_is_against_where_an_attack_is_twice_as_likely(self, bits: float | None, against: bool) -> None:
        assert weighs_against(Finding(Code.FLAT, 0.1, 0, bits)) is against


@pytest.mark.parametrize("kind", [TURN_LEFT, BLINK, SMILE])
def test_a_living_face_weighs_more_than_a_photo(kind: ChallengeType) -> None:
    """By what the judges find in the frames of each, moved alike."""

    def weighed(weighing: Weighing, seen: object) -> float:
        frames = [Frame(str(i), T0 + i / 8, observe(**{**dict(seen), "digest": str(i)})) for i in range(20)]
        findings = examine(frames, [kind], since=T0, met=T0 + 1.5, opening_until=T0 + 3, after=0.6)
        assert {f.code for f in findings} >= {Code.STIFF, Code.PLANAR, Code.FROZEN, Code.FLAT, Code.UNSEEN}
        return weighing.weigh(findings, [kind]).score

    for weighing in (FITTED, WEIGHTS):
        assert weighed(weighing, ALIVE) >= weighing.thresholds[Preset.STRICT]
        assert weighed(weighing, PHOTO) < weighing.thresholds[Preset.LENIENT]


def test_a_challenge_too_short_for_a_sample_has_the_ones_before_it() -> None:
    """Rim and stripes are looked for each half second; an answer may be quicker."""
    frames = [Frame(str(i), T0 + i / 8, observe(rim=0.9 if i % 5 == 0 else None)) for i in range(12)]
    when = {"since": T0 + 9 / 8, "met": T0 + 11 / 8, "opening_until": T0 + 3}
    scores = {f.code: f.score for f in examine(frames, [BLINK], **when)}
    assert scores[Code.SCREEN] == 0.9
    alone = {f.code for f in examine(frames[9:], [BLINK], **when)}
    assert Code.SCREEN not in alone


def test_the_findings_of_identity_are_not_among_those_of_the_frames() -> None:
    """They come from comparisons."""
    frames = [Frame(str(i), T0 + i / 8, observe()) for i in range(20)]
    codes = {f.code for f in examine(frames, [BLINK], since=T0, met=T0 + 1, opening_until=T0 + 3)}
    assert not codes & set(OF_IDENTITY)
