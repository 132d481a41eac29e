"""Links and paths in the Markdown pages: each one leads to a file, and to a heading, that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("api/**/*.md"), *ROOT.glob("ops/**/*.md")],
)
#: The folders whose files pages name in code spans; `docs/…` in a page of another folder, too.
_ROOMS = "api|workers|shared|migrations|tests|ops|bin|docs|requirements"


def _prose(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)


def _slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    slugs = set()
    for heading in re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        slugs.add(re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-"))
    return slugs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"", re.sub(r"`[^`\n]*`", "", _prose(page)))
    for target in (a or b for a, b in targets):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} does not exist"
        if anchor and file.suffix == ".md":
            assert anchor in _slugs(file), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_in_a_code_span_exists(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # tells of the past
        return
    for path in re.findall(rf"`((?:{_ROOMS})/[\w./-]+)`", _prose(page)):
        if path.endswith(".mdx"):  # a page of another project, in docs/comparison.md
            continue
        module = f"{path}.py", f"{path.rpartition('.')[0]}.py"  # `shared/queue/broker`, `shared/queue/broker.MAX_AGE`
        assert any((ROOT / file).exists() for file in (path, *module)), f"{path} does not exist"


def test_every_page_of_docs_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for page in ROOT.glob("docs/**/*.md"):
        if page.name != "index.md":
            assert f"({page.relative_to(ROOT / 'docs')})" in index, f"{page.name} is not in docs/index.md"


def test_every_room_is_on_the_map() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for top in ("api", "workers", "shared", "ops"):
        for package in (file.parent for file in ROOT.glob(f"{top}/**/__init__.py")):
            name = str(package.relative_to(ROOT))
            if package.name in {"liveness_client", "wrong"}:  # one with its room
                continue
            assert f"`{name}`" in index or f"… `{name.removeprefix('ops/lab/')}`" in index, (
                f"{name} is not in docs/index.md"
            )


def test_every_decision_that_code_or_a_page_names_exists() -> None:
    decisions = {int(page.name[:4]) for page in (ROOT / "docs" / "adr").glob("0*.md")}
    assert decisions == set(range(1, len(decisions) + 1)), "numbers without a gap"
    for folder in ("api", "workers", "shared", "ops", "docs"):
        for file in (ROOT / folder).rglob("*.*"):
            if file.suffix in {".py", ".md", ".js", ".yml", ".yaml", ".toml"}:
                named = re.findall(r"\bADR (\d+)|docs/adr/(\d{4})", file.read_text())
                assert {int(a or b) for a, b in named} <= decisions, file
