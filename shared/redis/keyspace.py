"""Every key that this service has in Redis. Nothing else names one, and each has a time to live.

key                        type    time to live      written by                  read by
-------------------------  ------  ----------------  --------------------------  ---------------------------------------
frame:{frame}              string  FRAME_TTL         api: the picture            worker; deleted when it is answered
answer:{frame}             list    ANSWER_TTL        worker: one answer          api, by a blocking pop
inflight:{session}         zset    INFLIGHT_TTL      api adds a frame with its   worker, to know whether a frame that
                                                     arrival as score; worker    arrived earlier is still being measured
                                                     and api remove it
underway                   zset    INFLIGHT_TTL      likewise, for all sessions,  api, before it takes another
                                                     once a frame was read, with  frame; worker, to know how far
                                                     the moment as score          the queue is behind
prior:{session}            hash    PRIOR_TTL         worker: where the face was  worker, before it measures the next
                                                     in the latest frame, and    frame; deleted when the session ends
                                                     small pictures of it
chip:{frame}               string  CHIP_TTL          worker of frames: an        identity worker; deleted when it is
                                                     aligned face, 150 pixels    compared, or the session ends
                                                     wide, of a few frames
anchor:{session}           string  the rest of the   identity worker: the        identity worker; deleted when the
                                   session's own     descriptor of the           session ends or is cancelled
                                                     session's first face
reference:{session}        string  the rest of the   identity worker: the        identity worker; deleted likewise
                                   session's own     descriptor of the picture
                                                     given at creation
picture:{session}          string  CHIP_TTL          api: that picture           identity worker; deleted when it is
                                                                                 described, or the session ends
portrait:{session}         hash    the rest of the   worker of frames: the best  api, once; deleted when the session
                                   session's own,    frame of a session that is  ends other than live
                                   then PORTRAIT_TTL to have one
ended:{session}            string  the rest of the   whoever ends or deletes a   everyone who writes one of the session's
                                   session's own,    session                     keys above, in the same script
                                   and ENDED_MARGIN
workers:{queue}            zset    PRESENCE_TTL      each worker process, every  api (/readyz)
                                                     PRESENCE_EVERY seconds,
                                                     its last sign of life
idempotency:{digest}       string  SESSION_TTL       api: what was asked for     api, when it is asked again
                                                     under this Idempotency-Key
                                                     and the answer
limit:{what}:{who}         string  until it would    api: when this bucket of    api, before it creates a session
                                   be full again,    tokens is full again        or passes a frame on
                                   LIMIT_* at most
metrics:totals             hash    METRICS_TTL       every process, now and      api (/metrics)
                                                     then: what it has counted
metrics:pushed:{process}   string  PUSHED_TTL        every process: the number   the same script, so that a push counts
                                                     of its latest push          once

With a queue on Redis there are dramatiq's own keys beside these, described at the head of its `redis/dispatch.lua`:
`dramatiq:{queue}` and its `.msgs`, `.DQ`, `.DQ.msgs`, `.XQ`, `.XQ.msgs`, `dramatiq:__acks__.*` and
`dramatiq:__heartbeats__`. They have no time to live: Redis removes a list, hash or set that has become empty, a
message leaves them when it has been worked on or is too old, and heartbeats are removed with their worker. One is ours:

dramatiq:{queue}.wake      list    WAKE_TTL          whoever enqueues: a token   an idle worker, by a blocking pop
                                                     beside each message

With events on Redis there are kombu's own keys in the database of EVENTS_URL: a list for each subscriber's queue, under the
name that the subscriber gave it, the set `_kombu.binding.liveness` of who wants what, and `unacked`, `unacked_index` and
`unacked_mutex`, of what consumers have in hand. They have no time to live, except for the last: events wait for their
subscribers.
"""

from __future__ import annotations

#: Seconds; an answer is waited for by a request that gave up long before that.
ANSWER_TTL = 30

#: Seconds after the latest frame of a session.
INFLIGHT_TTL = 30

#: The frames of all sessions that wait for a worker or have one, by when they began to.
UNDERWAY = "underway"

#: Seconds; the place of a face is worth nothing when it is older than that.
PRIOR_TTL = 10

#: Seconds; a comparison that is not made in half that time is not made at all.
CHIP_TTL = 30

#: Seconds from a session's end, with a live person, for which its portrait can be fetched.
PORTRAIT_TTL = 300

#: Seconds beyond a session's own time that its mark is kept: longer than any worker works on a frame.
ENDED_MARGIN = 60

#: Seconds between two signs of life of a worker process.
PRESENCE_EVERY = 2.0

#: Seconds without a sign of life after which a worker process is taken for gone.
PRESENCE_LATELY = 10.0

#: Seconds; longer than PRESENCE_LATELY, so that the set itself is never what makes a worker disappear.
PRESENCE_TTL = 60

#: Seconds since the last push of any process: a service that was off for that long counts anew.
METRICS_TTL = 7 * 24 * 3600

#: Seconds for which a push is tried again.
PUSHED_TTL = 3600

#: What all processes have counted together.
METRICS = "metrics:totals"

#: Seconds; a token that nobody took in that time woke nobody, and messages are found without it.
WAKE_TTL = 60


def frame(frame_id: str) -> str:
    """The picture of a frame."""
    return f"frame:{frame_id}"


def answer(frame_id: str) -> str:
    """What a worker says about a frame."""
    return f"answer:{frame_id}"


def inflight(session_id: str) -> str:
    """The frames of a session that have arrived and are not answered yet."""
    return f"inflight:{session_id}"


def prior(session_id: str) -> str:
    """Where the face was in the session's latest measured frame."""
    return f"prior:{session_id}"


def chip(frame_id: str) -> str:
    """The face of a frame, on its way to be compared."""
    return f"chip:{frame_id}"


def anchor(session_id: str) -> str:
    """Whose face the others of a session are compared with."""
    return f"anchor:{session_id}"


def reference(session_id: str) -> str:
    """Whose face the picture shows that was given at creation."""
    return f"reference:{session_id}"


def picture(session_id: str) -> str:
    """The picture that was given at creation."""
    return f"picture:{session_id}"


def portrait(session_id: str) -> str:
    """The best frame so far."""
    return f"portrait:{session_id}"


def ended(session_id: str) -> str:
    """Key of the mark of a session that has ended or was deleted."""
    return f"ended:{session_id}"


def of_face(session_id: str) -> list[str]:
    """All keys of a session that hold something of a face, except the portrait, which may outlive a live session."""
    return [of(session_id) for of in (prior, anchor, reference, picture)]


def workers(queue: str) -> str:
    """The worker processes that serve a queue."""
    return f"workers:{queue}"


def idempotency(digest: str) -> str:
    """The answer to a creation that may be asked for again."""
    return f"idempotency:{digest}"


def limit(what: str, who: str) -> str:
    """How much is left of what an API key, a network or a session may do."""
    return f"limit:{what}:{who}"


def pushed(process: str) -> str:
    """The number of a process's latest push of metrics."""
    return f"metrics:pushed:{process}"


def wake(namespace: str, queue_name: str) -> str:
    """The tokens that wake idle workers of a queue."""
    return f"{namespace}:{queue_name}.wake"
