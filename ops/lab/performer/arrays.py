"""Names for the arrays that are passed around. OpenCV's own types say no more than "numbers", so neither do these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Pixels, BGR, uint8: rows, columns, 3.
Picture = NDArray[Any]
#: One weight a pixel, 0 to 1: rows, columns.
Weights = NDArray[Any]
#: Points or vertices, one a row.
Points = NDArray[np.float64]
#: Which points.
Indices = NDArray[np.int64]
