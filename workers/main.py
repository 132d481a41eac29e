"""What `python -m workers` (or `dramatiq workers.main`) loads in each of its processes: the broker and the actors.

One thread a process: a detector of dlib's must not be used by two.
"""

from __future__ import annotations

import dramatiq
import dramatiq.worker

from shared.queue.broker import make_broker, worker_middleware
from shared.settings import load_settings_or_exit
from shared.telemetry.logs import configure_logging
from workers import frames, identity
from workers.resources import Resources

#: Seconds after which a lost connection to the queue is made anew. dramatiq's own 3 s are most of a frame's deadline, and
#: it takes another number only from an environment variable.
dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = 0.5

settings = load_settings_or_exit()
configure_logging(settings)

resources = Resources(settings)
broker = make_broker(settings, worker_middleware(settings, resources))
dramatiq.set_broker(broker)

measure_frame = frames.declare(broker, resources, max_age=int(settings.frame_deadline * 1000))
compare_identity, describe_reference = identity.declare(broker, resources)
