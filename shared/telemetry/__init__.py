"""Telemetry of all processes: logs without secrets, metrics, traces, and the request id that connects them."""
