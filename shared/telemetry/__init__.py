"""What the processes tell an operator: logs without secrets, metrics, traces, and the id that connects them."""
