"""The code behind ops/up, ops/test, ops/models and ops/keys."""
