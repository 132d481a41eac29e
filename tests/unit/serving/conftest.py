from __future__ import annotations

from tests.unit.api.conftest import lone_app, lone_settings  # noqa: F401 - fixtures
