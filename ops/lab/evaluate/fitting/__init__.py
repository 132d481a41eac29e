"""Fitting the weights of the evidence over people: `ops/evaluate --fit`."""
