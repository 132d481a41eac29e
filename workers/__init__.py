"""The processes behind the queue: frames are measured and judged, faces compared, events published, sessions ended."""
