"""The laboratory: benchmarks, fault injection, evaluation on recordings, the capacity model, and what they share."""
