"""What can be wrong with the bytes that a client sent as a picture."""

from __future__ import annotations


class BadImage(ValueError):
    """Bytes that are not a picture we can judge.

    `code` is stable and becomes the problem's code in the API's answer: "not_an_image", "unsupported_image",
    "truncated_image", "too_many_pixels", "image_too_small". `detail` is a sentence that says what to do.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
