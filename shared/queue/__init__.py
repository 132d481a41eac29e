"""The message queue between the API and the workers: brokers, the messages, and the backlog."""
