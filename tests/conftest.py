"""Servers that tests share; each is started by the first test that asks for it."""

pytest_plugins = [
    "tests.integration.postgres",
    "tests.integration.rabbitmq_server",
    "tests.integration.redis_server",
]
