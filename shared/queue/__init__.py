"""The message queue between the API and the workers: brokers, messages, and how far behind the workers are."""
