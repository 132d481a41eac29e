"""The error raised for bytes that a client sent as a picture and that cannot be judged."""

from __future__ import annotations


class BadImage(ValueError):
    """Raised for bytes that are no picture, or a picture that cannot be judged.

    `code` is stable and becomes the problem's code in the API's answer: "not_an_image",
    "unsupported_image", "truncated_image", "too_many_pixels", "image_too_small" or "image_too_complex". `detail` is a
    sentence that tells the client what to do; if it is empty, the API's own sentence is used.
    `cost` is the processor time in seconds that was spent on decoding the picture.
    """

    def __init__(self, code: str, detail: str, cost: float = 0.0) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.cost = cost
