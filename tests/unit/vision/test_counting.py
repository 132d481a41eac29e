"""What is counted by OpenCV, or by counting levels, is what numpy gives; only sooner."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workers.vision.quality import _percentiles
from workers.vision.small import median
from workers.vision.stir import _BLOCK, _means
from workers.vision.straight import _LEAST, Lines


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_percentiles_of_levels(grey):
    assert _percentiles(grey, (0.05, 0.5, 0.95)) == pytest.approx(np.percentile(grey, (5, 50, 95)))


@given(arrays.arrays(np.float64, st.integers(1, 40), elements=st.floats(0, 1e6)))
def test_the_median_of_a_ring(values):
    assert median(values) == pytest.approx(np.median(values))


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 4), st.integers(8, 40))), st.floats(-5, 50), st.floats(-5, 50))
def test_the_share_of_an_edges_way_that_is_there(there, one, other):
    counted = np.pad(there.cumsum(axis=1, dtype=np.int32), ((0, 0), (1, 0)))
    lines = Lines(np.zeros(len(there)), np.zeros(len(there)), 0.0, counted)
    first, last = (int(np.clip(round(row), 0, there.shape[1])) for row in sorted((one, other)))
    expected = there[:, first:last].mean(axis=1) if last - first >= _LEAST else np.full(len(there), 0.5)
    assert lines.share(np.arange(len(there)), one, other, 0.5) == pytest.approx(expected)


@pytest.mark.parametrize("blocks", [6, 16])
def test_the_means_of_blocks(blocks):
    pixels = np.random.default_rng(blocks).normal(0, 30, (blocks * _BLOCK, blocks * _BLOCK)).astype(np.float32)
    expected = pixels.reshape(blocks, _BLOCK, blocks, _BLOCK).mean(axis=(1, 3))
    assert _means(pixels) == pytest.approx(expected, abs=1e-4)
