"""Reading the picture out of a request's form: within limits, never onto a disk, and checked before it is queued."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from io import BytesIO
from typing import IO, Any

from flask import Request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import get_input_stream

from api.camera import read_report
from api.multipart import only_file
from api.names import unknown
from api.problems import ProblemError, refuse_faults
from api.schemas import Fault
from shared.image_header import ImageHeader
from shared.liveness.camera import CameraReport
from shared.settings import Settings

#: Names of the part with a frame's picture, and of the part with the reference picture of a new session.
PART, REFERENCE = "image", "reference"
#: Names of the text fields of a frame: what the client says of its camera, and the session's id again.
CAMERA, SESSION = "camera", "session_id"
#: Bytes of a form beside its picture: boundaries, headers of parts, small fields that a client adds.
FORM_BYTES = 64 * 1024
#: Parts that a form may have; one of them is read.
FORM_PARTS = 50
#: Bytes of a body read at a time.
_CHUNK = 64 * 1024


def body_limit(settings: Settings) -> int:
    """The bytes that a request's body may have."""
    return settings.max_frame_bytes + FORM_BYTES


def refuse_large_body(request: Request, settings: Settings) -> None:
    """Refuse a body that announces too large a size, before any of it is read."""
    if (request.content_length or 0) > body_limit(settings):
        raise _too_large(settings)


def read_frame(request: Request, settings: Settings, session_id: str = "") -> tuple[bytes, CameraReport | None]:
    """The bytes of the part `image`: a whole JPEG or PNG of a permitted size, as far as its undecoded bytes tell.

    With them what the part `camera` says of the camera; None without such a part. session_id: what the part `session_id`
    must say if there is one.

    Raises the problems of place 11 of `api.serving`.
    """
    if request.mimetype != "multipart/form-data":
        raise ProblemError("not_multipart")
    data, fields = _read_part(request, settings, PART, (CAMERA, SESSION))
    if data is None:
        raise ProblemError("image_missing")
    if fields.get(SESSION, session_id).lower() != session_id:
        refuse_faults([Fault(parameter=SESSION, detail="must be the id in the path, or left out")])
    said = fields.get(CAMERA)
    return _checked(data, settings, settings.max_pixels), None if said is None else read_report(said)


def read_picture(request: Request, settings: Settings) -> bytes:
    """The bytes of the part `image` alone, see `read_frame`."""
    return read_frame(request, settings)[0]


def read_reference(request: Request, settings: Settings) -> bytes | None:
    """The bytes of the part `reference`, checked as by `read_picture`; None if the request has no such part.

    It may have MAX_REFERENCE_PIXELS.
    """
    if request.mimetype != "multipart/form-data":
        return None
    data, _ = _read_part(request, settings, REFERENCE)
    return None if data is None else _checked(data, settings, settings.max_reference_pixels)


def _read_part(
    request: Request, settings: Settings, name: str, texts: tuple[str, ...] = ()
) -> tuple[bytes | None, Mapping[str, str]]:
    """The bytes of the file of this name, None if there is none; and the form's text fields.

    texts: the names that text fields may have. Other parts are refused, and so are several parts of one name.
    """
    try:
        body = _read_body(request, settings)
        plain = only_file(body, request.mimetype_params.get("boundary", ""))
        if plain is not None and plain[0] == name:
            return plain[1], {}
        form, files = _parse(request, body, settings)
    except RequestEntityTooLarge:
        raise _too_large(settings) from None
    except ValueError:
        raise ProblemError("malformed_form") from None
    if name in form:
        raise ProblemError("image_not_a_file")
    if faults := _faults_of_parts(form, files, name, texts):
        # A form without a picture keeps its own code, which says more.
        refuse_faults(faults, "image_missing" if name == PART and name not in files else "invalid_parameter")
    file = files.get(name)
    return None if file is None else file.read(), form


def _faults_of_parts(
    form: MultiDict[str, str], files: MultiDict[str, FileStorage], name: str, texts: tuple[str, ...]
) -> list[Fault]:
    faults = unknown([*form, *files], (name, *texts), "part")
    for known in (name, *texts):
        if len(form.getlist(known) + files.getlist(known)) > 1:
            faults.append(Fault(parameter=known, detail="is there more than once"))
        elif known in files and known != name:
            faults.append(Fault(parameter=known, detail="must be a text field, without a filename"))
    return faults


def _read_body(request: Request, settings: Settings) -> bytes:
    # Here the limit is for chunked bodies, which announce no size.
    stream = get_input_stream(request.environ, max_content_length=body_limit(settings))
    return b"".join(iter(partial(stream.read, _CHUNK), b""))


def _checked(data: bytes, settings: Settings, max_pixels: int) -> bytes:
    if not data:
        raise ProblemError("image_empty")
    if len(data) > settings.max_frame_bytes:
        raise _too_large(settings)
    _look_at(data, max_pixels)
    return data


def _parse(
    request: Request, body: bytes, settings: Settings
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    """Parse a form. `request.files` would write larger files to the disk, and take a broken form for an empty one."""
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=body_limit(settings),
        max_form_parts=FORM_PARTS,
        silent=False,
    )
    _, form, files = parser.parse(BytesIO(body), request.mimetype, len(body), request.mimetype_params)
    return form, files


def _in_memory(*_args: Any, **_facts: Any) -> IO[bytes]:
    return BytesIO()


def _look_at(data: bytes, max_pixels: int) -> None:
    """Refuse a picture that no worker could use, or that costs too much to decode, by its headers and its end."""
    header = ImageHeader(data)
    if header.kind is None:
        raise ProblemError("not_an_image")
    size = header.size
    if size is not None and size[0] * size[1] > max_pixels:
        raise ProblemError(
            "too_many_pixels",
            f"The picture has {size[0]}×{size[1]} pixels; at most {max_pixels / 1e6:g} million are allowed: "
            "send a smaller one. 640 pixels of width are plenty.",
        )
    if not header.ordinary:
        raise ProblemError("unsupported_image")
    if header.too_complex(max_pixels):
        raise ProblemError("image_too_complex")
    if header.truncated:
        raise ProblemError("truncated_image")
    if size is None:
        raise ProblemError("not_an_image", "The picture's header is damaged: send a JPEG or PNG as a camera makes it.")


def _too_large(settings: Settings) -> ProblemError:
    most = settings.max_frame_bytes
    readable = f"{most / 2**20:.4g} MiB" if most >= 2**20 else f"{most / 2**10:.4g} KiB"
    return ProblemError(
        "picture_too_large",
        f"A picture may have at most {readable}: send a smaller one. 640 pixels of width are plenty.",
    )
