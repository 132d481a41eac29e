"""A session that was played, as an outcome in plain values."""

from __future__ import annotations

from ops.lab.evaluate.cases import Case
from ops.lab.evaluate.job import Job
from ops.lab.evaluate.outcome import Outcome
from ops.lab.evaluate.player import Played


def outcome_of(case: Case, job: Job, preset: str, played: Played) -> Outcome:
    """The outcome of a case that was played."""
    session = played.session
    evidence: dict[str, float] = {}
    for finding in session.findings:
        evidence[str(finding.code)] = max(finding.score, evidence.get(str(finding.code), finding.score))
    outcome = Outcome(
        kind=case.kind,
        species=case.species,
        person=case.person,
        detail=case.detail,
        engine=job.engine,
        fps=job.fps,
        preset=preset,
        asked=[str(c.type) for c in session.challenges],
        passed=[(p.challenge, round(p.at, 3), p.confidence) for p in played.passes],
        state=str(session.state),
        is_live=session.is_live,
        reason=session.reason,
        seconds=round(played.seconds, 3),
        frames=played.frames,
        problems=dict(played.problems),
        evidence=evidence,
        findings=[(str(f.code), f.score, f.challenge) for f in session.findings],
        score=session.score,
    )
    if case.clip is not None:
        outcome.clip = (case.clip.path.name, case.clip.start, case.clip.end)
        if played.passes:
            first = played.passes[0]
            outcome.passed_at_second, outcome.lap = first.shot.second, first.shot.lap
            if case.kind == "hit":
                outcome.since_peak = round(first.at - (case.clip.peak - case.clip.start), 3)
    return outcome
