"""`python -m workers …`: dramatiq's command line for workers.main, with the packages loaded before the processes are forked.

`dramatiq workers.main …` forks first, so each process loads all packages for itself. Packages loaded before the fork are in
memory once, shared by all processes. Settings, connections and models are made in each process, and nothing here starts a
thread, because threads do not survive a fork.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import multiprocessing
import os
import sys

#: Modules that import everything workers.main and its resources need.
LOADED = ("shared.queue.broker", "workers.frames", "workers.identity", "workers.passive", "workers.resources")
#: Optional package that runs the networks of vision.
RUNTIME = "ai_edge_litert.interpreter"


def load() -> None:
    """Import the packages that all worker processes share."""
    # Otherwise OpenBLAS starts its threads when NumPy is imported. The service is parallel by processes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in LOADED:
        importlib.import_module(name)
    if importlib.util.find_spec(RUNTIME.partition(".")[0]):
        importlib.import_module(RUNTIME)


def main() -> int:
    """Run dramatiq; return its exit code."""
    load()
    # Not at the top: the settings bring NumPy, which `load` is to import.
    from shared.db import make_engine  # noqa: PLC0415
    from shared.own_secrets import keep_own  # noqa: PLC0415
    from shared.settings import load_settings_or_exit  # noqa: PLC0415

    keep_own("worker")  # before the fork: the parent of the processes must not hold what they must not
    # An engine loads its database's driver, and connects only when it is used.
    make_engine(load_settings_or_exit().database_url).dispose()
    from dramatiq import cli  # noqa: PLC0415 - not needed by callers of `load` alone

    arguments = cli.make_argument_parser().parse_args(["workers.main", *sys.argv[1:]])
    if sys.platform == "linux" and not arguments.use_spawn:
        # From 3.14 on Python would fork another process, in which nothing is loaded.
        multiprocessing.set_start_method("fork")
    # dramatiq starts itself again by sys.argv on SIGHUP.
    sys.argv = [sys.executable, "-m", "workers", *sys.argv[1:]]
    # Frozen objects are skipped by the garbage collector, which would write to each of them and so unshare its page.
    gc.collect()
    gc.freeze()
    return int(cli.main(arguments))


if __name__ == "__main__":
    sys.exit(main())
