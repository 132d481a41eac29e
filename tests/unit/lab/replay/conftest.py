from __future__ import annotations

from tests.documented_server import server, video  # noqa: F401 - fixtures
from tests.performer import models_dir  # noqa: F401 - a fixture
