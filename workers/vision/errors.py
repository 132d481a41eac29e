"""The error raised for bytes that a client sent as a picture and that cannot be judged."""

from __future__ import annotations


class BadImage(ValueError):
    """Raised for bytes that are no picture, or a picture that cannot be judged.

    `code` is stable and becomes the problem's code in the API's answer: "not_an_image", "truncated_image",
    "too_many_pixels" or "image_too_small". `detail` is a sentence that tells the client what to do.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
