"""The pictures of the challenges in the documentation show what the element shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Browser, Playwright

from shared.liveness.challenge import ChallengeType
from tests.e2e import pictures
from tests.e2e.browser import launched


@pytest.fixture(scope="module")
def plain(playwright: Playwright) -> Iterator[Browser]:
    """A browser whose camera is a cartoon."""
    with launched(playwright, None) as browser:
        yield browser


def difference(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ, in brightness of 0 to 255, fine lines left aside."""
    small = [picture.convert("L").resize((30, 40), Image.Resampling.BOX) for picture in (one, other)]
    return float(ImageStat.Stat(ImageChops.difference(*small)).mean[0])


def kept(kind: ChallengeType) -> Image.Image:
    with Image.open(pictures.FOLDER / f"{kind.lower()}.webp") as picture:
        return picture.copy()


@pytest.mark.parametrize("kind", [ChallengeType.TURN_LEFT, ChallengeType.BLINK])
def test_the_kept_picture_is_what_the_element_shows(plain: Browser, kind: ChallengeType) -> None:
    now = pictures.taken(plain, kind)
    assert difference(now, kept(kind)) < 2
    others = [difference(now, kept(other)) for other in ChallengeType if other is not kind]
    assert difference(now, kept(kind)) < min(others), "the picture of this challenge is nearest"


def test_each_challenge_has_a_small_picture_that_the_page_shows() -> None:
    page = (pictures.ROOT / "docs" / "gestures.md").read_text()
    words = (pictures.CLIENT / "locales" / "en.js").read_text()
    for kind in ChallengeType:
        assert kept(kind).size == pictures.SIZE
        assert (pictures.FOLDER / f"{kind.lower()}.webp").stat().st_size < 10_000
        row = re.search(rf"\(images/gestures/{kind.lower()}\.webp\) \| `{kind}` \| ([^|]+) \|", page)
        assert row, kind
        assert f'"do.{kind}": "{row[1]}"' in words
