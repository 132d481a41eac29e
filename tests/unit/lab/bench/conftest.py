"""The models, for what measures vision."""

from tests.performer import models_dir  # noqa: F401
