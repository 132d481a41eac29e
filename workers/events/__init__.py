"""The process `events`, run by `python -m workers.events`: publishes events from the outbox and delivers webhooks."""
