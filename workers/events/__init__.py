"""`python -m workers.events`: tells others what happened. It sends what waits in the outbox to the broker at EVENTS_URL."""
