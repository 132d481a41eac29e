"""The vision pipeline that measures frames: a picture's bytes in, an `Observation` out. No sessions, queue or database."""
