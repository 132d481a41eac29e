"""The machines that a number of sessions needs: measurements, a model, and a simulation. See docs/capacity.md."""
