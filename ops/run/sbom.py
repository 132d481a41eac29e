"""Writes the software bill of materials of the service: `python -m ops.run.sbom >sbom.cdx.json`.

CycloneDX 1.6 as JSON, made from the locks alone: each package with its version, its purl, the SHA-256 of each file that the
lock accepts, and the packages that ask for it; and the models with theirs. The same locks give the same bytes, on every
machine. Runs on a bare Python.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.run.models import MODELS

ROOT = Path(__file__).resolve().parents[2]
#: The locks of the image: what the service runs on, and traces.
LOCKS = ("runtime", "tracing")
#: The models that LANDMARKS and IDENTITY need by default; the others are optional.
DEFAULT_MODELS = ("mesh", "identity")
#: Namespace of the serial number, which is made from the content.
_NAMESPACE = uuid.UUID("5f1d7c0e-6f0e-4d6e-9f55-2c1d3a1c7b11")

_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?: ; (.*?))?(?: \\)?")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"# via (.+)|#   (.+)")


@dataclass
class Package:
    """One package of the locks."""

    name: str
    version: str
    #: The condition under which it is installed, in the words of PEP 508; empty: always.
    marker: str
    hashes: set[str] = field(default_factory=set)
    #: Names of the packages that ask for it; "" for the service itself.
    asked_for_by: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        """The package URL, which names no registry's address."""
        return f"pkg:pypi/{self.name}@{self.version}"


def read_locks(directory: Path, names: tuple[str, ...] = LOCKS) -> list[Package]:
    """The packages of some locks, by their names."""
    found: dict[str, Package] = {}
    for name in names:
        package: Package | None = None
        for line in (directory / f"{name}.txt").read_text().splitlines():
            if not line.startswith((" ", "#")):
                pin = _PIN.fullmatch(line)
                if pin is None:
                    raise ValueError(f"{name}.txt has a line that pins no version: {line}")
                pinned = re.sub(r"[-_.]+", "-", pin[1]).lower()
                package = found.setdefault(pinned, Package(pinned, pin[2], pin[3] or ""))
            elif package is not None:
                package.hashes |= set(_HASH.findall(line))
                if via := _VIA.fullmatch(line.strip()):
                    asking = via[1] or via[2]
                    package.asked_for_by.add("" if asking.startswith("-r ") else re.sub(r"[-_.]+", "-", asking).lower())
    return [found[name] for name in sorted(found)]


def bill(root: Path = ROOT) -> dict[str, Any]:
    """The bill of materials, as a CycloneDX document."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    packages = read_locks(root / "requirements")
    service: dict[str, Any] = {
        "type": "application",
        "bom-ref": f"{project['name']}@{project['version']}",
        "name": project["name"],
        "version": project["version"],
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    models = [_model(engine, piece) for engine in sorted(MODELS) for piece in MODELS[engine]]
    asked: dict[str, list[str]] = {name: [] for name in ("", *(package.name for package in packages))}
    for package in packages:
        for name in package.asked_for_by & asked.keys():
            asked[name].append(package.purl)
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "pre-build"}], "component": service},
        "components": [*(_component(package) for package in packages), *models],
        "dependencies": [
            {"ref": service["bom-ref"], "dependsOn": sorted(asked[""]) + [model["bom-ref"] for model in models]},
            *({"ref": package.purl, "dependsOn": sorted(asked[package.name])} for package in packages),
            *({"ref": model["bom-ref"]} for model in models),
        ],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{serial}", **document}


def _component(package: Package) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "purl": package.purl,
        # One for each file that the lock accepts: wheels for several systems, and perhaps a source archive.
        "hashes": [{"alg": "SHA-256", "content": content} for content in sorted(package.hashes)],
    }
    if package.marker:
        component["properties"] = [{"name": "liveness:installed-if", "value": package.marker}]
    return component


def _model(engine: str, piece: Any) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{piece.name}",
        "name": piece.name,
        "scope": "required" if engine in DEFAULT_MODELS else "optional",
        "hashes": [{"alg": "SHA-256", "content": piece.sha256}],
        "properties": [{"name": "liveness:taken-from", "value": piece.archive.filename}],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(bill(), indent=1, ensure_ascii=False) + "\n")
