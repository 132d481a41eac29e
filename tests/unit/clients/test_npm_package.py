"""What `npm publish` would send of the browser client: complete, small, typed, and usable on a server too."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.node_packages import CLIENT, INSTALLED, ROOT, packed, project, require_node, run

pytestmark = pytest.mark.slow

#: Bytes of the archive at most: who makes it larger should know. It had 39 kB on 2026-11-30.
LARGEST = 60_000

EXAMPLE = ROOT / "api" / "clients" / "examples" / "react"
REACT18 = INSTALLED / "react18"
USE = Path(__file__).with_name("use.tsx")

#: What a server does that renders pages, such as Next.js: a program without a browser's names imports and renders.
SERVER = """
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import * as library from "liveness-check";
import { LivenessCheck } from "liveness-check/react";

for (const name of ["HTMLElement", "customElements", "document", "window"])
  if (name in globalThis) throw new Error(`${name} is here: this is no server`);
const own = { onComplete() {}, createSession() {}, messages: {} };
const props = { challenges: 3, types: ["BLINK", "SMILE"], sessionId: "s", className: "check", ...own };
console.log(renderToString(createElement(LivenessCheck, props)), Object.keys(library).join());
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    require_node()
    return packed(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="module", params=[18, 19], ids=["react18", "react19"])
def used(request: pytest.FixtureRequest, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has installed it."""
    return project(tmp_path_factory.mktemp("project"), archive, react=request.param)


def test_the_archive_holds_all_that_it_needs_and_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = {name.removeprefix("package/") for name in tar.getnames()}
        sources = {}
        for name in names:
            file = tar.extractfile(f"package/{name}")
            assert file is not None
            sources[name] = file.read().decode()
    own = {path.relative_to(CLIENT).as_posix() for path in CLIENT.rglob("*") if path.is_file()}
    assert names == own, "what is served is what is published"
    assert sources["LICENSE"] == (ROOT / "LICENSE").read_text()
    package = json.loads(sources["package.json"])
    assert {"name", "version", "description", "license", "exports", "types", "files", "sideEffects"} <= package.keys()
    for name, target in package["exports"].items():
        for path in target.values() if isinstance(target, dict) else [target]:
            assert "*" in path or path.removeprefix("./") in names, name
    for name, source in sources.items():
        if name.endswith((".js", ".d.ts")):
            code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
            for path in re.findall(r'(?:from|import\(?) ?"([^"]+)"', code):
                if path != "react" or not name.startswith("react/"):
                    wanted = (CLIENT / name).parent.joinpath(path).resolve().relative_to(CLIENT).as_posix()
                    assert wanted in names, f"{name} imports {path}"


def test_the_archive_is_small(archive: Path) -> None:
    assert archive.stat().st_size <= LARGEST


def test_publint_finds_nothing(archive: Path) -> None:
    said = run(require_node() / "node_modules" / ".bin" / "publint", "run", "--strict", archive, cwd=archive.parent)
    assert "All good" in said


def test_a_server_imports_and_renders_it(used: Path) -> None:
    (used / "server.js").write_text(SERVER)
    said = run("node", "server.js", cwd=used)
    html, exported = said.split("</liveness-check>")
    assert html == ('<liveness-check challenges="3" types="BLINK,SMILE" session-id="s" class="check">'), (
        "no handler, and nothing of createSession"
    )
    assert set(exported.strip().split(",")) == {
        "LivenessCheck",
        "LivenessError",
        "Service",
        "listCameras",
        "openCamera",
    }


def test_the_types_fit_how_it_is_used(used: Path) -> None:
    """With the types of both versions of React, and both ways in which compilers find a package's types."""
    shutil.copy(USE, used)
    shutil.copytree(EXAMPLE / "src", used / "src")
    resolution = "nodenext" if (used / "node_modules" / "react").resolve().is_relative_to(REACT18) else "bundler"
    options = {
        "target": "ES2022",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "module": "esnext" if resolution == "bundler" else resolution,
        "moduleResolution": resolution,
        "jsx": "react-jsx",
        "strict": True,
        "noEmit": True,
        "exactOptionalPropertyTypes": True,
        "types": ["react"],
    }
    config = {"compilerOptions": options, "files": [USE.name], "include": ["src"]}
    (used / "tsconfig.json").write_text(json.dumps(config))
    run(used / "node_modules" / ".bin" / "tsc", cwd=used)


def test_the_component_has_a_prop_for_each_event_of_the_element() -> None:
    forwarded = (CLIENT / "element.js").read_text().partition("const FORWARDED = [")[2].partition("]")[0]
    kinds = set(re.findall(r'"(\w+)"', forwarded)) | {"screen"}
    assert len(kinds) >= 12
    component = (CLIENT / "react" / "index.js").read_text()
    props = dict(re.findall(r'^  (on\w+): "liveness-(\w+)"', component, re.MULTILINE))
    assert kinds <= set(props.values())
    types = (CLIENT / "react" / "index.d.ts").read_text()
    assert set(re.findall(r"^  (on\w+): ", types, re.MULTILINE)) == props.keys()


def test_the_example_is_built_with_the_versions_that_are_locked() -> None:
    example = json.loads((EXAMPLE / "package.json").read_text())
    locked = json.loads((ROOT / "tests/node/package.json").read_text())["dependencies"]
    named = {**example["dependencies"], **example["devDependencies"]}
    assert named.pop("liveness-check") == "file:../../browser"
    assert named.items() <= locked.items()


def test_the_lock_has_hashes_and_no_address() -> None:
    text = (ROOT / "tests" / "node" / "package-lock.json").read_text()
    assert "://" not in text
    for name, package in json.loads(text)["packages"].items():
        if name.startswith("node_modules/") and not package.get("link"):
            assert package["integrity"].startswith("sha512-"), name
