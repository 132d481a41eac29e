"""The documentation as a site: every page is there, links lead somewhere, and it reads as it does in the repository."""

from __future__ import annotations

import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from ops.run import site

ROOT = Path(__file__).parents[3]
#: Elements that a page has in the site as in the repository, in the same order.
SAME = {
    *("ul", "ol", "li", "table", "tr", "th", "td", "pre", "blockquote"),
    *("h1", "h2", "h3", "h4", "img", "strong", "em"),
}


class Html(HTMLParser):
    """What a page contains, loads and links to."""

    def __init__(self, html: str, *, only_in: str | None = None) -> None:
        super().__init__()
        #: The elements of SAME, each with the number of lists that it is in.
        self.outline: list[tuple[str, int]] = []
        self._lists = 0
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self._only_in, self._inside = only_in, only_in is None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside |= tag == self._only_in
        if self._inside and tag in SAME:
            self.outline.append((tag, self._lists))
            self._lists += tag in {"ul", "ol"}
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in {"src", "srcset", "data", "poster"} or (name == "href" and tag != "a"):
                self.loads.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if self._inside:
            self._lists -= tag in {"ul", "ol"}
        if tag == self._only_in:
            self._inside = False


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of this repository."""
    return site.build(ROOT, tmp_path_factory.mktemp("site"))


def html_of(built: Path, name: str) -> Path:
    """The file of a page in the site."""
    path = Path(site.placed(name))
    if path.name in {"index.md", "README.md"}:
        return built / path.parent / "index.html"
    return built / path.with_suffix("") / "index.html"


def test_every_page_is_in_the_site_and_is_linked_to_from_another_one(built: Path) -> None:
    linked: set[Path] = set()
    for page in built.rglob("*.html"):
        for link in Html(page.read_text()).links:
            if not urlsplit(link).netloc:
                linked.add((page.parent / unquote(urlsplit(link).path) / "index.html").resolve())
    for name in site.names(ROOT):
        assert html_of(built, name).is_file(), name
        assert html_of(built, name).resolve() in linked, f"nothing leads to {name}"


def test_the_navigation_has_every_page_of_docs_once() -> None:
    def pages(entries: list[object]) -> list[str]:
        """The pages of a part of the navigation, which is made of {title: page} and {title: part}."""
        values = [value for entry in entries for value in entry.values()]  # type: ignore[attr-defined]
        return [page for value in values for page in ([value] if isinstance(value, str) else pages(value))]

    found = pages(site.navigation(ROOT))
    assert [page for page, times in Counter(found).items() if times > 1] == []
    assert {site.placed(name) for name in site.names(ROOT) if name.startswith("docs/")} - set(found) == {
        "adr/template.md"
    }
    assert 3 <= len(site.navigation(ROOT)) <= 7


def test_the_site_loads_nothing_from_another_host(built: Path) -> None:
    pages = list(built.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        for load in Html(page.read_text()).loads:
            assert not urlsplit(load).netloc, f"{page}: {load}"
    for style in built.rglob("*.css"):
        text = style.read_text()
        assert "@import" not in text, style
        assert "url(http" not in text, style
        assert "url(//" not in text, style


def test_every_link_within_the_site_leads_to_a_page_and_a_heading_and_every_picture_is_there(built: Path) -> None:
    parsed = {page.resolve(): Html(page.read_text()) for page in built.rglob("*.html") if page.name != "404.html"}
    for page, html in parsed.items():
        for link in [*html.links, *html.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or link.endswith("/../docs"):  # the last: the API's page of the service
                continue
            file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            file = file / "index.html" if file.is_dir() else file
            assert file.is_file(), f"{page}: {link}"
            if parts.fragment and file in parsed and not parts.fragment.startswith("__"):
                assert unquote(parts.fragment) in parsed[file].ids, f"{page}: {link}"


@pytest.mark.parametrize("name", site.names(ROOT))
def test_a_page_reads_in_the_site_as_in_the_repository(built: Path, name: str) -> None:
    """Both understand Markdown a little differently: a list without a blank line before it, a list within a list."""
    here = MarkdownIt("commonmark").enable("table").render((ROOT / name).read_text())
    there = Html(html_of(built, name).read_text(), only_in="article").outline
    assert there == Html(here).outline


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository with three pages and a file."""
    root = tmp_path / "repository"
    (root / "docs").mkdir(parents=True)
    (root / "api").mkdir()
    (root / "ops" / "run").mkdir(parents=True)
    shutil.copy(ROOT / "mkdocs.yml", root)
    shutil.copytree(ROOT / "ops" / "run" / "site_theme", root / "ops" / "run" / "site_theme")
    (root / "README.md").write_text("# Read\n\n[map](docs/index.md#a-b) and [code](api/code.py)\n")
    (root / "api" / "code.py").write_text("")
    (root / "docs" / "index.md").write_text(
        "# Map\n\n- **Use**: [one](one.md) · [read](../README.md)\n- **Run**: [the top](#map)\n\n## A b?\n"
    )
    (root / "docs" / "one.md").write_text("# One\n\n[read](../README.md#read), [`code.py`](../api/code.py)\n")
    return root


def test_links_are_adapted_to_where_the_site_has_a_page(small: Path, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    built = site.build(small, place)
    assert "../repository/#read" in Html((built / "one" / "index.html").read_text()).links
    read = (built / "repository" / "index.html").read_text()
    assert "../#a-b" in Html(read).links
    assert "code (<code>api/code.py</code>)" in read
    one = (place / "pages" / "one.md").read_text()
    assert one.endswith(", `api/code.py`\n")


def test_a_fenced_block_is_left_as_it_is(small: Path) -> None:
    text = "```md\n[read](../README.md)\n```\n[read](../README.md)\n"
    assert (
        site.adapted(text, "docs/one.md", small) == "```md\n[read](../README.md)\n```\n[read](repository/README.md)\n"
    )


def test_broken_links_end_the_build(small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (small / "docs" / "one.md").open("a") as page:
        page.write("\n[other](index.md#nowhere)\n\n[here](#nowhere)\n\n[outside](../README.md#nowhere)\n")
    place = tmp_path / "place"
    place.mkdir()
    with pytest.raises(SystemExit):
        site.build(small, place)
    assert "3 issues found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", ["[gone](gone.md)", "[gone](../api/gone.py)", "![gone](images/gone.svg)", '<img src="gone.webp" alt="">']
)
def test_a_link_to_a_file_or_picture_that_does_not_exist_ends_it_too(small: Path, tmp_path: Path, wrong: str) -> None:
    with (small / "docs" / "one.md").open("a") as page:
        page.write(f"\n{wrong}\n")
    with pytest.raises(SystemExit):
        site.lay_out(small, tmp_path / "pages")


def test_a_site_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    for word in ("old", "new"):
        built = tmp_path / word
        built.mkdir()
        (built / f"{word}.html").write_text(word)
        site.replace(folder, built)
    assert [path.name for path in folder.iterdir()] == ["new.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old", "site"]
