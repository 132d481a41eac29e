"""The liveness domain: which gestures a session asks for, what its frames showed, and the verdict that follows.

A `session.Session` takes in observations of frames. `gestures` decides whether the person made the gesture that was asked
for, `evidence` how much the frames look like an attack, `identity` whether one person was there throughout.

Pure: no pictures, database, queue, clock or randomness of its own. Callers give times in seconds since the epoch; angles are
degrees; lengths on a face are the person's own inter-ocular distances.
"""
