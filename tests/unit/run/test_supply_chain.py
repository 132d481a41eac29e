"""The bill of materials is the locks', and an audit without data does not look like a clean one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ops.run import audit, sbom
from ops.run.audit import Outcome, judge, words
from ops.run.models import MODELS

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements"


def pins(*names: str) -> dict[str, str]:
    text = "\n".join((REQUIREMENTS / f"{name}.txt").read_text() for name in names)
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_bill_has_every_package_of_the_locks_and_every_model_with_its_hashes() -> None:
    bill = sbom.bill()
    libraries = {part["name"]: part for part in bill["components"] if part["type"] == "library"}
    assert {name: part["version"] for name, part in libraries.items()} == pins("runtime", "tracing")
    hashes = {found["content"] for part in libraries.values() for found in part["hashes"]}
    locked = "".join((REQUIREMENTS / f"{name}.txt").read_text() for name in ("runtime", "tracing"))
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", locked))
    models = {part["name"]: part for part in bill["components"] if part["type"] == "machine-learning-model"}
    for pieces in MODELS.values():
        for piece in pieces:
            assert models[piece.name]["hashes"] == [{"alg": "SHA-256", "content": piece.sha256}]


def test_the_bill_says_who_asks_for_what() -> None:
    bill = sbom.bill()
    depends = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    parts = {part["bom-ref"] for part in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert set(depends) == parts
    assert {ref for refs in depends.values() for ref in refs} <= parts
    by_name = {ref.partition("@")[0]: {r.partition("@")[0] for r in refs} for ref, refs in depends.items()}
    assert "pkg:pypi/werkzeug" in by_name["pkg:pypi/flask"]
    asked = {
        line.split("[")[0].split("=")[0].strip() for line in (REQUIREMENTS / "runtime.in").read_text().splitlines()
    }
    assert {"pkg:pypi/flask", "pkg:pypi/redis", "model:face_landmark.tflite"} <= by_name["liveness"]
    assert {"flask", "redis"} <= asked
    reached, waiting = set(), [bill["metadata"]["component"]["bom-ref"]]
    while waiting:
        ref = waiting.pop()
        if ref not in reached:
            reached.add(ref)
            waiting += depends[ref]
    assert reached == parts, "nothing is there for no reason"


def test_the_bill_is_the_same_each_time_and_names_no_registry() -> None:
    made = [
        subprocess.run([sys.executable, "-m", "ops.run.sbom"], cwd=ROOT, capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert b"://" not in made[0]
    bill = json.loads(made[0])
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", bill["serialNumber"])
    refs = [part["bom-ref"] for part in bill["components"]]
    assert len(refs) == len(set(refs))


def test_a_lock_that_pins_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runtime.txt").write_text("flask>=3\n")
    with pytest.raises(ValueError, match="pins no version"):
        sbom.read_locks(tmp_path, ("runtime",))


REPORT = {
    "dependencies": [
        {"name": "good", "version": "1.0", "vulns": []},
        {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "description": "…"}]},
        {"name": "unheard-of", "skip_reason": "not found"},
    ]
}


def test_a_package_that_could_not_be_looked_up_is_not_clean() -> None:
    outcome = judge(REPORT)
    assert outcome == Outcome(2, 1, ("bad 2.0: PYSEC-1, repaired in 2.1",))
    assert "known weaknesses" in words("runtime", outcome)
    nothing = judge({"dependencies": [{"name": "a", "skip_reason": "not found"}]})
    assert "not done" in words("runtime", nothing)
    assert "not done" in words("runtime", None)
    assert "no known weakness in 1 packages; nothing is known about 2" in words("runtime", Outcome(1, 2, ()))


def test_only_a_known_weakness_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(audit, "bring", lambda: None)
    assert audit.main([]) == 0
    monkeypatch.setattr(audit, "bring", lambda: tmp_path / "pip-audit")
    assert audit.main(["runtime"]) == 0, "a program that does not run"
    for report, status in ((REPORT, 1), ({"dependencies": []}, 0), ("no json", 0)):
        text = report if isinstance(report, str) else json.dumps(report)
        (tmp_path / "pip-audit").write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit 1\n")
        (tmp_path / "pip-audit").chmod(0o755)
        assert audit.main(["runtime"]) == status


def test_the_browser_client_has_no_packages_of_others_to_audit() -> None:
    named = json.loads((ROOT / "api" / "clients" / "browser" / "package.json").read_text())
    assert not {"dependencies", "devDependencies", "optionalDependencies"} & named.keys()
    # React is the caller's own, and is not installed with it.
    assert set(named["peerDependencies"]) == {
        n for n, meta in named["peerDependenciesMeta"].items() if meta["optional"]
    }
