"""From the bytes of a picture to an Observation. Knows nothing of sessions, queues or rows."""
