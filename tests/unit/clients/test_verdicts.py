"""What the Python client takes for a signed verdict, with keys from a real address."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from liveness_client import (
    AsyncKeys,
    InvalidVerdict,
    Keys,
    Unreachable,
    Verdict,
    keys,
    verify_verdict,
    verify_verdict_async,
)

ISSUER = "https://liveness.example.org"
AT = 1_795_521_000
CLAIMS = {
    "iss": ISSUER,
    "sub": "s-1",
    "jti": "v-1",
    "iat": AT,
    "nbf": AT - 60,
    "exp": AT + 600,
    "is_live": True,
    "preset": "standard",
    "nonce": "n-1",
    "challenges": [{"type": "BLINK", "passed_at": AT - 3.5, "confidence": 0.9}],
}


class Key:
    """A pair of keys."""

    def __init__(self, kid: str, curve: ec.EllipticCurve | None = None) -> None:
        self.kid = kid
        self.private = ec.generate_private_key(curve or ec.SECP256R1())
        self.public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}

    def sign(self, *without: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        said = {name: value for name, value in (CLAIMS | claims).items() if name not in without}
        return jwt.encode(
            said, self.private, "ES256", {"kid": self.kid, "typ": "liveness-verdict+jwt"} | (header or {})
        )


class Publisher(ThreadingHTTPServer):
    """Publishes keys, and counts how often it is asked for them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys: list[dict[str, Any]] = []
        self.revoked: list[str] = []
        self.body: bytes | None = None
        self.status = 200
        self.asked = 0
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/.well-known/jwks.json"


class _Handler(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        self.server.asked += 1
        revoked = [{"kid": kid, "revoked_at": 1.0} for kid in self.server.revoked]
        body = self.server.body or json.dumps({"keys": self.server.keys, "revoked": revoked}).encode()
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def key() -> Key:
    return Key("one")


@pytest.fixture
def publisher(key: Key) -> Iterator[Publisher]:
    publisher = Publisher()
    publisher.keys = [key.public]
    yield publisher
    publisher.shutdown()
    publisher.server_close()


class Clock:
    """The process's clock, which goes only when it is told to."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(keys, "time", clock)
    return clock


Verify = Callable[..., Verdict]


@pytest.fixture(params=["sync", "async"])
def verify(request: pytest.FixtureRequest, publisher: Publisher) -> Verify:
    """Verifies with keys of its own, which remember from call to call."""
    if request.param == "sync":
        own = Keys(publisher.url)
        return lambda text, **how: verify_verdict(text, own, **({"issuer": ISSUER, "at": AT} | how))
    shared = AsyncKeys(publisher.url)
    return lambda text, **how: asyncio.run(
        verify_verdict_async(text, shared, **({"issuer": ISSUER, "at": AT} | how)),
    )


def given(key: Key) -> Verify:
    """Verifies with a key that is given, without an address."""
    jwks = {"keys": [key.public]}
    return lambda text, **how: verify_verdict(text, jwks, **({"issuer": ISSUER, "at": AT} | how))


def reason(verify: Verify, text: str, **how: Any) -> str:
    with pytest.raises(InvalidVerdict) as caught:
        verify(text, **how)
    return caught.value.reason


def test_it_says_what_the_service_signed(verify: Verify, key: Key) -> None:
    said = verify(key.sign(), session_id="s-1", nonce="n-1")
    assert (said.session_id, said.is_live, said.nonce) == ("s-1", True, "n-1")
    assert (said.preset, said.challenges) == ("standard", ("BLINK",))
    assert said.claims["jti"] == "v-1"
    assert verify(key.sign(is_live=False)).is_live is False


def test_it_is_for_whom_it_names(verify: Verify, key: Key) -> None:
    meant = key.sign(aud="https://bank.example.org")
    assert verify(meant, audience="https://bank.example.org").is_live
    assert reason(verify, meant) == "other_audience"
    assert reason(verify, meant, audience="https://shop.example.org") == "other_audience"
    assert reason(verify, key.sign(), audience="https://bank.example.org") == "other_audience"
    assert reason(verify, key.sign(), issuer="https://other.example.org") == "other_issuer"
    assert reason(verify, key.sign(), session_id="s-2") == "other_session"
    assert reason(verify, key.sign(), nonce="n-2") == "other_nonce"
    assert reason(verify, key.sign("nonce"), nonce="n-1") == "other_nonce"


def test_it_has_its_time(verify: Verify, key: Key) -> None:
    signed = key.sign()
    for valid in (AT - 60, AT + 599.9):
        assert verify(signed, at=valid).is_live
    for invalid in (AT - 60.1, AT + 600):
        assert reason(verify, signed, at=invalid) == "expired"
    assert reason(verify, key.sign(nbf=0, exp=600), at=None) == "expired", "the clock decides"
    now = time.time()
    assert verify(key.sign(nbf=now - 60, exp=now + 600), at=None).is_live


def test_what_others_made_is_refused(verify: Verify, key: Key, publisher: Publisher) -> None:
    signed = key.sign()
    head, claims, signature = signed.split(".")
    assert reason(verify, f"{head}.{claims}.{'A' * len(signature)}") == "bad_signature"
    assert reason(verify, f"{head}.{Key('one').sign(sub='s-2').split('.')[1]}.{signature}") == "bad_signature"
    assert reason(verify, Key("one").sign()) == "bad_signature"
    forged = jwt.encode(CLAIMS, publisher.keys[0]["x"], "HS256", {"kid": "one", "typ": "liveness-verdict+jwt"})
    assert reason(verify, forged) == "malformed", "the public key is no secret to sign with"
    bare = jwt.encode(CLAIMS, None, "none", {"kid": "one", "typ": "liveness-verdict+jwt"})
    assert reason(verify, bare) == "malformed"
    stranger = Key("stranger")
    assert reason(verify, stranger.sign(header={"jwk": stranger.public, "jku": publisher.url})) == "unknown_key"


@pytest.mark.parametrize(
    "header", [{"typ": "JWT"}, {"typ": None}, {"crit": ["exp"], "exp": 1}], ids=["jwt", "none", "crit"]
)
def test_another_kind_of_token_is_no_verdict(key: Key, header: dict[str, Any]) -> None:
    assert reason(given(key), key.sign(header=header)) == "malformed"


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "e30.e30.e30", "x" * 20_000, "W1tb" * 5000 + ".e30.e30"])
def test_a_text_that_is_no_token_is_no_verdict_and_fetches_nothing(
    verify: Verify, publisher: Publisher, text: str
) -> None:
    assert reason(verify, text) == "malformed"
    assert publisher.asked == 0


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "iat", "nbf", "exp", "is_live", "challenges"])
def test_a_claim_that_lacks_makes_it_none(key: Key, claim: str) -> None:
    assert reason(given(key), key.sign(claim)) == "malformed"


@pytest.mark.parametrize(
    "claims", [{"is_live": "true"}, {"is_live": 1}, {"exp": "soon"}, {"challenges": None}], ids=str
)
def test_a_claim_of_another_kind_makes_it_none(key: Key, claims: dict[str, Any]) -> None:
    assert reason(given(key), key.sign(**claims)) == "malformed"


def test_keys_are_fetched_once_in_five_minutes(verify: Verify, key: Key, publisher: Publisher, clock: Clock) -> None:
    for _ in range(3):
        assert verify(key.sign()).is_live
    assert publisher.asked == 1
    clock.at += 299
    assert verify(key.sign()).is_live
    assert publisher.asked == 1
    clock.at += 2
    assert verify(key.sign()).is_live
    assert publisher.asked == 2


def test_a_new_key_is_fetched_when_it_is_met(verify: Verify, key: Key, publisher: Publisher, clock: Clock) -> None:
    assert verify(key.sign()).is_live
    following = Key("two")
    publisher.keys.append(following.public)
    clock.at += keys.PAUSE
    assert verify(following.sign()).is_live
    assert publisher.asked == 2


def test_made_up_keys_do_not_make_it_ask_again_and_again(
    verify: Verify, key: Key, publisher: Publisher, clock: Clock
) -> None:
    assert verify(key.sign()).is_live
    clock.at += keys.PAUSE
    for number in range(5):
        assert reason(verify, Key(f"made up {number}").sign()) == "unknown_key"
    assert publisher.asked == 2
    assert verify(key.sign()).is_live
    clock.at += keys.PAUSE
    assert reason(verify, Key("another").sign()) == "unknown_key"
    assert publisher.asked == 3


def test_a_revoked_key_is_refused_as_soon_as_it_is_known(
    verify: Verify, key: Key, publisher: Publisher, clock: Clock
) -> None:
    signed = key.sign()
    assert verify(signed).is_live
    publisher.keys, publisher.revoked = [Key("two").public], ["one"]
    clock.at += 301
    assert reason(verify, signed) == "revoked_key"
    publisher.keys.append(key.public)  # whatever else is published
    clock.at += 301
    assert reason(verify, signed) == "revoked_key"


def test_without_its_service_known_keys_go_on_for_their_time(
    verify: Verify, key: Key, publisher: Publisher, clock: Clock
) -> None:
    signed = key.sign()
    assert verify(signed).is_live
    publisher.status = 503
    clock.at += keys.PAUSE
    with pytest.raises(Unreachable, match="503"):
        verify(Key("made up").sign())
    assert verify(signed).is_live
    clock.at += 301
    for _ in range(3):
        with pytest.raises(Unreachable, match="503"):
            verify(signed)
    assert publisher.asked == 3, "the first, the made-up key, and one try in this second"
    publisher.status = 200
    clock.at += keys.TRY_AGAIN
    assert verify(signed).is_live


@pytest.mark.parametrize("body", [b"{}", b"[]", b"no json", b'{"keys": 1}', b'{"keys": [], "revoked": 1}'])
def test_an_address_without_keys_is_told_plainly(verify: Verify, key: Key, publisher: Publisher, body: bytes) -> None:
    publisher.body = body
    with pytest.raises(Unreachable, match="JWK Set"):
        verify(key.sign())


def test_keys_of_other_kinds_are_passed_over(verify: Verify, key: Key, publisher: Publisher) -> None:
    odd: list[Any] = [1, {}, {"kty": "oct", "kid": "one", "k": "AAAA"}, Key("one", ec.SECP384R1()).public]
    publisher.keys += [*odd, {"kty": "EC", "crv": "P-256", "kid": "broken", "x": "!", "y": "!"}]
    assert verify(key.sign()).is_live
    assert reason(verify, Key("broken").sign()) == "unknown_key"


def test_an_address_is_enough_and_is_remembered(key: Key, publisher: Publisher) -> None:
    for _ in range(2):
        assert verify_verdict(key.sign(), publisher.url, issuer=ISSUER, at=AT).is_live
    assert publisher.asked == 1


def test_keys_may_be_given(key: Key) -> None:
    given: dict[str, Any] = {"keys": [key.public]}
    assert verify_verdict(key.sign(), given, issuer=ISSUER, at=AT).is_live
    assert asyncio.run(verify_verdict_async(key.sign(), given, issuer=ISSUER, at=AT)).is_live
    with pytest.raises(InvalidVerdict, match="revoked"):
        verify_verdict(key.sign(), given | {"revoked": [{"kid": "one"}]}, issuer=ISSUER, at=AT)
    with pytest.raises(ValueError, match="JWK Set"):
        verify_verdict(key.sign(), {}, issuer=ISSUER, at=AT)


def test_many_threads_fetch_once(key: Key, publisher: Publisher) -> None:
    own, signed, results = Keys(publisher.url), key.sign(), []

    def check() -> None:
        results.append(verify_verdict(signed, own, issuer=ISSUER, at=AT).is_live)

    threads = [threading.Thread(target=check) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8
    assert publisher.asked == 1
