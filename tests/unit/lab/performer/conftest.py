from __future__ import annotations

from tests.performer import models_dir, performer  # noqa: F401
