from __future__ import annotations

from tests.documented_server import server  # noqa: F401 - a fixture
