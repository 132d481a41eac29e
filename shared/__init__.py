"""The code that the API, the workers and the tools share: domain, storage, queue, Redis, telemetry and settings."""
