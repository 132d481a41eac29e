"""The module that `python -m workers` (or `dramatiq workers.main`) loads in each process: broker and actors.

Run it with one thread a process (`-t 1`): one dlib detector must not be used by two threads.
"""

from __future__ import annotations

import dramatiq
import dramatiq.worker

from shared.at_start import refuse_unusable
from shared.own_secrets import keep_own
from shared.queue.broker import make_broker, worker_middleware
from shared.settings import load_settings_or_exit
from shared.telemetry.logs import configure_logging
from workers import frames, identity, passive
from workers.resources import Resources

# Seconds until a lost connection to the queue is opened again. dramatiq's default of 3 s is most of a frame's deadline;
# otherwise it can only be set by an environment variable.
dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = 0.5

keep_own("worker")
settings = load_settings_or_exit()
configure_logging(settings)
refuse_unusable(settings)

resources = Resources(settings)
broker = make_broker(settings, worker_middleware(settings, resources))
dramatiq.set_broker(broker)

measure_frame = frames.declare(broker, resources, max_age=int(settings.frame_deadline * 1000), model=settings.model)
compare_identity, describe_reference = identity.declare(broker, resources)
judge_crops = passive.declare(broker, resources)
