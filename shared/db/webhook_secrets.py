"""The signing secrets of webhooks, sealed: encrypted in their rows by a key derived from the root secret.

A sealed secret is SEALED and base64 of nonce, secret and tag: 90 characters. A secret from before that, `whsec_…`, is
usable as it is, until `seal_all` seals it. Older processes refuse to sign with a sealed secret (it is no valid base64), so
that a delivery which one of them takes during a rolling deployment is attempted again by a newer one.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import replace

import structlog
from pydantic import SecretStr
from sqlalchemy import Engine

from shared.db.root_secret import RootSecret
from shared.db.unit_of_work import UnitOfWork
from shared.webhooks import PREFIX, Webhook

#: Beginning of a sealed secret in its row: nine letters, so that the whole has one character too many to be base64.
SEALED = "encrypted:"

_PURPOSE = "webhook secrets"

log = structlog.get_logger(__name__)


class Unreadable(Exception):
    """Raised for a secret that was sealed with another TOKEN_SECRET."""


class WebhookSecrets:
    """Seals and unseals the secrets of webhooks for one process.

    A secret that was sealed before TOKEN_SECRET was set, with the root secret in the database, is unsealed as well.
    """

    def __init__(self, engine: Callable[[], Engine], given: SecretStr | None) -> None:
        """given: TOKEN_SECRET."""
        self._engine = engine
        self._root = RootSecret(engine, given)
        #: The root secret in the database, which is not to be made only because something cannot be unsealed.
        self._stored = RootSecret(engine, None)
        self._given = given is not None

    def seal(self, webhook_id: str, secret: str) -> str:
        """The text for the row of a webhook. A secret of a form that is not ours stays as it is."""
        try:
            clear = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret
        return SEALED + base64.b64encode(self._root.seal(_PURPOSE, clear, webhook_id)).decode()

    def unseal(self, webhook_id: str, stored: str) -> str:
        """The secret, `whsec_…`, from a webhook's row. Raises Unreadable."""
        if not stored.startswith(SEALED):
            return stored
        sealed = base64.b64decode(stored.removeprefix(SEALED))
        clear = self._root.unseal(_PURPOSE, sealed, webhook_id) if self._given else None
        if clear is None and self._stored.kept():
            clear = self._stored.unseal(_PURPOSE, sealed, webhook_id)
        if clear is None:
            raise Unreadable
        return PREFIX + base64.b64encode(clear).decode()

    def unsealed(self, webhook: Webhook) -> Webhook:
        """The webhook with its secrets unsealed, without a former one that is unreadable. Raises Unreadable."""
        former = webhook.former_secret
        try:
            former = None if former is None else self.unseal(webhook.id, former)
        except Unreadable:
            former = None
        return replace(webhook, secret=self.unseal(webhook.id, webhook.secret), former_secret=former)

    def seal_all(self) -> int:
        """Seal the secrets that are in clear in the database; returns the number of webhooks that had one."""
        with UnitOfWork(self._engine(), read_only=True) as uow:
            clear = [w for w in uow.webhooks.all() if not all(s.startswith(SEALED) for s in _secrets(w))]
        for webhook in clear:
            secret = self._sealed(webhook.id, webhook.secret)
            former = None if webhook.former_secret is None else self._sealed(webhook.id, webhook.former_secret)
            with UnitOfWork(self._engine()) as uow:
                uow.webhooks.reseal(webhook, secret, former)
                uow.commit()
        if clear:
            log.info("webhooks.secrets_sealed", count=len(clear))
        return len(clear)

    def _sealed(self, webhook_id: str, stored: str) -> str:
        return stored if stored.startswith(SEALED) else self.seal(webhook_id, stored)


def _secrets(webhook: Webhook) -> list[str]:
    return [secret for secret in (webhook.secret, webhook.former_secret) if secret is not None]
