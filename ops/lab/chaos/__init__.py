"""Breaks the service on purpose, under load, and checks what it answered, judged and told meanwhile: `ops/chaos`."""
