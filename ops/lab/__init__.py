"""The laboratory: benchmarks, fault injection, evaluation on recordings, a capacity model, and the rig that they share."""
