"""Metrics: declared in `table`, added to totals in Redis by each process (`pushing`), read for /metrics (`gathering`)."""
