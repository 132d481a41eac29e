"""Resolves host names within a time limit, which the system's resolver does not have."""

from __future__ import annotations

import queue
import socket
import threading
from collections import Counter

#: Seconds that a look-up may take.
LOOK_UP = 3.0
#: Most look-ups under way in this process, of one name and of all: one that is given up holds its thread until it ends.
MOST_OF_ONE, MOST = 8, 64

_lock = threading.Lock()
_under_way: Counter[str] = Counter()


def resolve(host: str, port: int | None, within: float | None = None) -> list[str]:
    """The IP addresses of a host, as `socket.getaddrinfo` finds them, each once.

    Raises TimeoutError after `within` seconds (default: LOOK_UP), OSError or UnicodeError if there is none.
    """
    within = LOOK_UP if within is None else within
    with _lock:
        if _under_way[host] >= MOST_OF_ONE or _under_way.total() >= MOST:
            raise TimeoutError("too many look-ups of names hang")
        _under_way[host] += 1
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), name="look-up", daemon=True).start()
    try:
        answer = answers.get(timeout=within)
    except queue.Empty:
        raise TimeoutError(f"its name was not resolved within {within:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _look_up(host: str, port: int | None, answers: queue.SimpleQueue[list[str] | Exception]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except Exception as error:  # noqa: BLE001 - raised again by the thread that waits
        answers.put(error)
    finally:
        with _lock:
            _under_way[host] -= 1
            if not _under_way[host]:
                del _under_way[host]
