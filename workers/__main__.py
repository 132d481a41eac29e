"""`python -m workers …`: dramatiq's own program for workers.main, with the packages loaded before it forks.

`dramatiq workers.main …` forks first, and then each process loads all of them for itself. What is loaded before is there
once: some 50 MB less for each process but the first. Packages only: settings, connections and models are each process's own,
and nothing here starts a thread, which would not live on in the processes.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import sys

#: What workers.main and what it then makes take from others; and by what vision runs its networks, where that is installed.
LOADED = ("shared.queue.broker", "workers.frames", "workers.identity", "workers.resources")
RUNTIME = "ai_edge_litert.interpreter"


def load() -> None:
    """Load them."""
    # NumPy's linear algebra would start its threads when it is loaded. Here processes are the parallel part.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in LOADED:
        importlib.import_module(name)
    if importlib.util.find_spec(RUNTIME.partition(".")[0]):
        importlib.import_module(RUNTIME)


def main() -> int:
    """What the program ends with."""
    load()
    from dramatiq import cli  # noqa: PLC0415 - loads nothing of ours, but must not be loaded by who only wants `load`

    arguments = cli.make_argument_parser().parse_args(["workers.main", *sys.argv[1:]])
    # On SIGHUP dramatiq runs this anew.
    sys.argv = [sys.executable, "-m", "workers", *sys.argv[1:]]
    # What is loaded stays shared: a process's garbage collector would write to each object of it, and copy each page.
    gc.collect()
    gc.freeze()
    return int(cli.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
