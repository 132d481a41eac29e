"""Redis: its clients, every key that is written to it, scripts, rate limits and the common clock."""
