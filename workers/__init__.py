"""What `dramatiq` runs: frames are measured and judged here."""
