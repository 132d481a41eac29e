"""What it costs to read a frame out of its form: `python -m tests.unit.api.cost`.

CPU of `read_picture` for a picture of about 60 KB: in the form that nearly every client sends, and in one as good that is
left to werkzeug, by an empty line before it. Of 2000 the first tenth and the median: others who keep the machine busy make
one dearer, none cheaper.
"""

from __future__ import annotations

import io
import random
import time

from flask import Request
from PIL import Image
from werkzeug.test import EnvironBuilder

from api.uploads import read_picture
from shared.settings import Settings

COUNT = 2000


def frame() -> bytes:
    """A JPEG as cameras make them, 640 × 480."""
    noise = Image.frombytes("L", (80, 60), random.Random(1).randbytes(80 * 60)).resize((640, 480))
    out = io.BytesIO()
    noise.convert("RGB").save(out, "JPEG", quality=80)
    return out.getvalue()


def main() -> None:
    settings, data = Settings(_env_file=None), frame()
    head = (
        b'--x9f\r\nContent-Disposition: form-data; name="image"; filename="f.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    plain = head + data + b"\r\n--x9f--\r\n"
    print(f"a picture of {len(data) / 1000:.0f} KB")  # noqa: T201
    for name, body in (("plain", plain), ("left to werkzeug", b"\r\n" + plain)):
        took = []
        for _ in range(COUNT):
            environ = EnvironBuilder(
                method="POST", data=body, content_type="multipart/form-data; boundary=x9f"
            ).get_environ()
            environ["wsgi.input_terminated"] = True  # as gunicorn's
            began = time.thread_time()
            assert read_picture(Request(environ), settings) == data
            took.append(1000 * (time.thread_time() - began))
        took.sort()
        print(f"{name}: {took[COUNT // 10]:.3f} ms, median {took[COUNT // 2]:.3f}")  # noqa: T201


if __name__ == "__main__":
    main()
