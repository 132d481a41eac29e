"""Tables in docs/ that are made from the code."""

from __future__ import annotations

import re

import pytest

from ops.run import tables
from shared.liveness.evidence import FITTED, SPECIES, Code
from shared.liveness.evidence.meanings import MEANINGS
from shared.liveness.evidence.weighing import Group


def test_the_evidence_page_is_as_the_code_is() -> None:
    text = tables.EVIDENCE.read_text()
    assert tables.renewed(text) == text, "stale: run python -m ops.run.tables"


def test_every_code_has_a_sentence_and_a_species() -> None:
    assert set(MEANINGS) == set(SPECIES) == set(Code)
    assert all(re.fullmatch(r"[A-Z].*[^.]+\.", sentence) for sentence in MEANINGS.values())


def test_every_species_is_explained_on_the_page() -> None:
    prose = tables.EVIDENCE.read_text().partition("<!-- end -->")[2]
    for species in {part for each in SPECIES.values() for part in each.split(" or ")}:
        assert f"`{species}`, " in prose


def test_each_row_has_what_the_curves_weigh() -> None:
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables.evidence_table().splitlines()]
    assert head[3:] == ["`head`", "`eyes`", "`mouth`", "decides"]
    assert [row[0] for row in rows] == [f"`{code}`" for code in Code]
    for code, row in zip(Code, rows, strict=True):
        for group, cell in zip(Group, row[3:6], strict=True):
            curve = FITTED.curves.get(code, {}).get(group)
            if curve is None:
                assert cell == "–"
            else:
                best, worst = (float(bits) for bits in cell.split(" … "))
                assert (best, worst) == (pytest.approx(curve.bits[0], 0.06), pytest.approx(curve.bits[-1], 0.06))
        assert (row[6] == "–") is (code not in FITTED.decisive)
    decides = {row[0]: row[6] for row in rows}
    assert decides["`unseen`"] == "above 0", "any lack of it"
    assert decides["`repeated`"] == f"from {FITTED.decisive[Code.REPEATED]:g}"


def test_what_is_stale_is_said_and_mended(monkeypatch, tmp_path, capsys) -> None:
    page = tmp_path / "evidence.md"
    page.write_text(tables.EVIDENCE.read_text().replace("| above 0 |", "| from 0.9 |"))
    monkeypatch.setattr(tables, "EVIDENCE", page)
    monkeypatch.setattr("sys.argv", ["tables", "--check"])
    assert tables.main() == 1
    assert "run python -m ops.run.tables" in capsys.readouterr().out
    monkeypatch.setattr("sys.argv", ["tables"])
    assert tables.main() == 0
    monkeypatch.setattr("sys.argv", ["tables", "--check"])
    assert tables.main() == 0


def test_a_page_that_has_lost_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        tables.renewed("# Evidence\n")
