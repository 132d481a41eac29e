"""Quantiles and medians are numpy's, to the last bit; only sooner."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shared.liveness.gestures.quantiles import median, quantile

signals = arrays.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e3, 1e3))


@given(signals, st.floats(0, 1))
def test_a_quantile_is_numpys(signal, part):
    assert quantile(signal, part) == np.quantile(signal, part)


@given(signals)
def test_a_median_is_numpys(signal):
    assert median(signal) == np.median(signal)
