"""Writes DATABASE_URL as SQLAlchemy and psycopg read it, whatever platform gave it.

Platforms and other languages' clients add parameters that libpq refuses to know: Prisma's `pgbouncer=true`, Vercel's
`supa=…`. They concern those clients only and are left out; what is spelt in another way is translated.
"""

from __future__ import annotations

from functools import cache

from shared.addresses import Address, read

EXAMPLE = "postgresql://user:password@host:5432/name"

#: Our own parameter: whether psycopg prepares statements, as the setting DATABASE_PREPARED says. Rails calls it the same.
PREPARED = "prepared_statements"

#: Parameters of other clients that say nothing about the server: Prisma's, Rails', Vercel's, node-postgres' and asyncpg's.
FOREIGN = frozenset(
    {
        "pgbouncer",
        "connection_limit",
        "pool_timeout",
        "socket_timeout",
        "statement_cache_size",
        "prepared_statement_cache_size",
        "max_idle_connection_lifetime",
        "sslaccept",
        "pool",
        "pool_size",
        "pool_mode",
        "reaping_frequency",
        "supa",
        "workaround",
        "uselibpqcompat",
        "prepareThreshold",
    }
)
#: sslmode in the words of other clients.
SSLMODES = {"true": "require", "1": "require", "on": "require", "no-verify": "require", "false": "", "0": "", "off": ""}
#: Values that libpq would refuse only when it connects.
VALUES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    PREPARED: ("auto", "on", "off", "true", "false"),
}


def postgresql(text: str, prepared: str = "auto") -> str:
    """The address as a URL for SQLAlchemy. Raises ValueError with a sentence that holds no value.

    prepared: the setting DATABASE_PREPARED, which the address itself can overrule.
    """
    address = read(text, EXAMPLE)
    pairs = _translated(address.parameters)
    _refuse_unknown(pairs)
    if prepared != "auto" and PREPARED not in dict(pairs):
        pairs.append((PREPARED, prepared))
    hosts = address.hosts
    if "," in hosts:  # SQLAlchemy's way of naming several
        pairs += [("host", host) for host in hosts.split(",")]
        hosts = ""
    if address.path.count("/") > 1:
        raise ValueError(f"must end with the name of one database, as in {EXAMPLE}")
    given = Address("postgresql+psycopg", address.user, address.password, hosts, address.path, address.query)
    return str(given if pairs == address.parameters else given.having(pairs))


def _translated(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    kept = []
    for name, value in pairs:
        if name in FOREIGN or (name == "schema" and value == "public"):
            continue
        if name in ("ssl", "sslmode"):
            value = SSLMODES.get(value.lower(), value)  # noqa: PLW2901 - the same value, in libpq's words
            if value:
                kept.append(("sslmode", value))
            continue
        kept.append((name, value))
    return kept


def _refuse_unknown(pairs: list[tuple[str, str]]) -> None:
    for name, value in pairs:
        if name not in _known() and name != PREPARED:
            raise ValueError(f"has the parameter `{name}`, which PostgreSQL's client does not know: take it out")
        if name in VALUES and value not in VALUES[name]:
            raise ValueError(f"has a wrong `{name}`: it must be one of {', '.join(VALUES[name])}")


@cache
def _known() -> frozenset[str]:
    # Here, because a service over SQLite does not load psycopg.
    from psycopg import pq  # noqa: PLC0415

    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())
