"""Builds the documentation as a site: the code of `ops/docs`.

The pages are plain Markdown that is read in the repository, too, and link to each other and to files of the code. Zensical
builds one folder of pages, so they are laid out again in a temporary folder: docs/ at its top, and the other pages
(README.md, CHANGELOG.md …) below `repository/`, with their links adapted. A link to a file that is no page becomes the
file's name. The navigation is that of docs/index.md.
"""

from __future__ import annotations

import argparse
import json
import posixpath
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ops.run.private import make_private
from ops.run.words import fail, say

ROOT = Path(__file__).resolve().parents[2]
VAR = ROOT / "var"
SITE = VAR / "site"
#: Folder of the site for the pages outside of docs/.
OUTSIDE = "repository"
#: Folders outside of docs/ whose pages belong to the site; those at the top of the repository do, too.
FOLDERS = ("api", "ops")

#: A fenced block of code, in which nothing is a link.
_FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)
#: A link or picture in Markdown whose target is a relative path, with an anchor or without.
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")
#: The indentation of a line: lists within lists have two spaces here, and Zensical's Markdown wants four.
_INDENTED = re.compile(r"^(?: {2,3})+(?=\S)", re.MULTILINE)
#: A picture in HTML, as README.md has some.
_SRC = re.compile(r'src="(?![a-z]+:)([^"]+)"')
#: A group of docs/index.md, such as "- **Run the service**: [deployment](deployment.md) · …".
_GROUP = re.compile(r"^- \*\*(.+?)\*\*:(.*?)(?=^- \*\*|^\s*$)", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Build the site into var/site, or into the folder that is named."""
    parser = argparse.ArgumentParser(prog="ops/docs", description="Builds docs/ into a site, served at /docs/.")
    parser.add_argument("folder", nargs="?", type=Path, default=SITE, help="where to build it (default: var/site)")
    folder = parser.parse_args().folder.absolute()
    if folder == SITE:
        make_private(VAR)
    with tempfile.TemporaryDirectory(prefix="site-") as place:
        built = build(ROOT, Path(place))
        replace(folder, built)
    say(f"documentation: {sum(1 for _ in folder.rglob('*.html'))} pages in {folder}")


def build(root: Path, place: Path) -> Path:
    """Lay the pages of a repository out in an empty folder and build them; returns the site's folder."""
    lay_out(root, place / "pages")
    shutil.copytree(root / "ops" / "run" / "site_theme", place / "ops" / "run" / "site_theme")
    own = {"docs_dir": "pages", "site_dir": "site", "nav": navigation(root)}
    lines = [f"{name}: {json.dumps(value)}\n" for name, value in own.items()]  # JSON is YAML
    (place / "mkdocs.yml").write_text((root / "mkdocs.yml").read_text() + "".join(lines))
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--config-file", str(place / "mkdocs.yml")]
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    if ended.returncode:
        fail(f"The documentation cannot be built.\n{ended.stdout}{ended.stderr}")
    return place / "site"


def replace(folder: Path, built: Path) -> None:
    """Put the built site in the place of the folder; a reader misses it for a moment, and never sees half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = folder.with_name(f"{folder.name}.new"), folder.with_name(f"{folder.name}.old")
    for left_over in (new, old):
        shutil.rmtree(left_over, ignore_errors=True)
    shutil.copytree(built, new)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def lay_out(root: Path, pages: Path) -> None:
    """Copy docs/ and the pages outside of it to the paths of the site, with their links adapted."""
    shutil.copytree(root / "docs", pages)
    for name in names(root):
        page = pages / placed(name)
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(adapted((root / name).read_text(), name, root))


def names(root: Path) -> list[str]:
    """The paths of all pages, relative to the repository."""
    found = [*root.glob("*.md"), *(page for folder in ("docs", *FOLDERS) for page in root.glob(f"{folder}/**/*.md"))]
    return sorted(page.relative_to(root).as_posix() for page in found if "node_modules" not in page.parts)


def placed(name: str) -> str:
    """Where a file of the repository lies among the pages of the site."""
    return name.removeprefix("docs/") if name.startswith("docs/") else f"{OUTSIDE}/{name}"


def adapted(text: str, name: str, root: Path) -> str:
    """A page's text with links that lead to the same files where the site has them."""

    def target(path: str) -> tuple[str, str | None]:
        """The file that a link leads to, and the path to it in the site; None if the site does not have it."""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        if (root / file / "README.md").is_file():
            file += "/README.md"
        if not (root / file).exists():
            fail(f"{name} leads to {path}, which does not exist.")
        if not (file.startswith("docs/") or file.endswith(".md")) or (root / file).is_dir():
            return file, None
        return file, posixpath.relpath(placed(file), posixpath.dirname(placed(name)) or ".")

    def link(match: re.Match[str]) -> str:
        picture, words, path, anchor = match.groups()
        file, there = target(path)
        if there is not None:
            return f"{picture}[{words}]({there}{anchor or ''})"
        return f"`{file}`" if words.strip("`") in (file, posixpath.basename(file)) else f"{words} (`{file}`)"

    def source(match: re.Match[str]) -> str:
        # Zensical adapts the pictures of Markdown to the page's folder, and leaves those of HTML alone.
        _, there = target(match[1])
        depth = "" if posixpath.basename(name) in ("README.md", "index.md") else "../"
        return match[0] if there is None else f'src="{depth}{there}"'

    parts = _FENCED.split(text)
    parts[::2] = [
        _INDENTED.sub(lambda spaces: 2 * spaces[0], _SRC.sub(source, _LINK.sub(link, prose))) for prose in parts[::2]
    ]
    return "".join(parts)


def navigation(root: Path) -> list[object]:
    """The site's navigation: the groups of docs/index.md in their order, each with the pages that it links to."""
    index = (root / "docs" / "index.md").read_text()
    groups: list[object] = [{"Documentation": "index.md"}, {"About": f"{OUTSIDE}/README.md"}]
    for title, links in _GROUP.findall(index.partition("\n## ")[0] + "\n"):
        pages: list[object] = _pages(links, root)
        if "(#decisions)" in links:
            pages.append({"Decisions": _pages(index.partition("\n## Decisions\n")[2], root)})
        groups.append({title: pages})
    return groups


def _pages(text: str, root: Path) -> list[object]:
    """The pages that a text links to, in its order, by the words of their links."""
    found: dict[str, str] = {}
    for _, words, path, _ in _LINK.findall(text):
        file = posixpath.normpath(posixpath.join("docs", path))
        file += "/README.md" if (root / file / "README.md").is_file() else ""
        if file.endswith(".md") and not file.endswith("template.md"):
            found.setdefault(placed(file), words.capitalize() if words.isupper() else words[0].upper() + words[1:])
    return [{title: page} for page, title in found.items()]


if __name__ == "__main__":
    main()
