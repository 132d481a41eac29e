"""`.env.example` beside the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.settings import Settings

ROOT = Path(__file__).parents[3]
NAMES = {name.upper() for name in Settings.model_fields}


def test_the_example_has_every_setting_and_no_other() -> None:
    assert set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)) == NAMES


def test_the_example_is_valid_as_it_stands_and_with_every_line_uncommented(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    text = (ROOT / ".env.example").read_text()
    for content in (text, re.sub(r"^#(?=[A-Z_]+=)", "", text, flags=re.MULTILINE)):
        (tmp_path / ".env").write_text(content)
        Settings(_env_file=tmp_path / ".env")
