"""Tables in docs/ that are made from the code."""

from __future__ import annotations

import re

import pytest

from ops.run import tables
from shared.liveness.evidence import FITTED, SPECIES, Code
from shared.liveness.evidence.meanings import MEANINGS
from shared.liveness.evidence.weighing import Group
from shared.settings import Settings


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda page: page.name)
def test_the_generated_part_of_each_page_matches_the_code(page) -> None:
    text = page.read_text()
    assert tables.renewed(text, tables.PAGES[page]()) == text, "stale: run python -m ops.run.tables"


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


def test_every_setting_has_a_row_and_a_description() -> None:
    rows = [[cell.strip() for cell in line.split(" | ")] for line in _rows(tables.settings_tables())]
    assert sorted(row[0].strip("| `").lower() for row in rows) == sorted(Settings.model_fields)
    assert all(len(row) == 4 and len(row[3]) > 20 for row in rows)
    assert all(field.description for field in Settings.model_fields.values())


def _rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(
    ("name", "default", "accepted"),
    [
        ("QUEUE_URL", "`REDIS_URL`", ""),
        ("IDENTITY", "`on`", "`on`, `off`"),
        ("AUTH", "`auto`", "`auto`, `required`, `off`"),
        ("PRESET", "`standard`", "`lenient`, `standard`, `strict`"),
        ("SESSION_TTL", "`300`", "10 to 86400"),
        ("FRAME_DEADLINE", "`5`", "more than 0, 5 at most"),
        ("LIVENESS_THRESHOLD", "–", "more than 0, less than 1"),
        ("METRICS_TOKEN", "–", "16 characters or more"),
        ("WORKER_PROCESSES", "computed", "1 to 256"),
        ("CORS_ORIGINS", "–", ""),
    ],
)
def test_a_setting_is_shown_with_its_default_and_accepted_values(name, default, accepted) -> None:
    (row,) = [row for row in _rows(tables.settings_tables()) if row.startswith(f"| `{name}` |")]
    assert [cell.strip() for cell in row.split(" | ")[1:3]] == [default, accepted]


def test_names_addresses_and_pages_in_a_description_become_markdown() -> None:
    assert tables._linked("Default: QUEUE_URL, as in amqp://host; see docs/events.md (ops/keys, or `ops/up`).") == (
        "Default: `QUEUE_URL`, as in `amqp://host`; see [events](events.md) (`ops/keys`, or `ops/up`)."
    )


def test_stale_pages_are_named_and_mended(monkeypatch, tmp_path, capsys) -> None:
    evidence, settings = tmp_path / "evidence.md", tmp_path / "settings.md"
    evidence.write_text(tables.EVIDENCE.read_text().replace("| above 0 |", "| from 0.9 |"))
    settings.write_text(tables.SETTINGS.read_text().replace("| 1 to 65535 |", "| 1 to 9 |"))
    monkeypatch.setattr(tables, "PAGES", {evidence: tables.evidence_table, settings: tables.settings_tables})
    monkeypatch.setattr("sys.argv", ["tables", "--check"])
    assert tables.main() == 1
    assert capsys.readouterr().out.count("is stale: run python -m ops.run.tables") == 2
    monkeypatch.setattr("sys.argv", ["tables"])
    assert tables.main() == 0
    monkeypatch.setattr("sys.argv", ["tables", "--check"])
    assert tables.main() == 0


def test_a_page_that_has_lost_its_place_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        tables.renewed("# Evidence\n", "")
