"""How many machines so many sessions need: a model, its simulation, and what it is made from. See docs/capacity.md."""
