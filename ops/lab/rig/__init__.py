"""What the laboratory and the tests start a service with: processes, servers, a whole stack, and clients."""

from pathlib import Path

#: The clone that this package is part of.
ROOT = Path(__file__).resolve().parents[3]
