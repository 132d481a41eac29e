"""The keyspace: every key that the service writes to Redis, with its type and time to live. No other module names a key.

key                        type    time to live      written by                  read by
-------------------------  ------  ----------------  --------------------------  ---------------------------------------
frame:{frame}              string  FRAME_TTL         api: the picture            worker; deleted with the answer
camera:{frame}             string  FRAME_TTL         api: what the client says   worker; deleted with the answer
                                                     of its camera, if it does
answer:{frame}             list    ANSWER_TTL        worker: one answer          api, by a blocking pop
inflight:{session}         zset    INFLIGHT_TTL      api adds a frame with its   worker, to know whether a frame that
                                                     arrival as score; worker    arrived earlier is still being measured
                                                     and api remove it
underway                   zset    INFLIGHT_TTL      api adds each session's     api, before it admits another frame;
                                                     frames, once read, with     worker, to know how far the queue is
                                                     the time as score; worker   behind
                                                     and api remove them
prior:{session}            hash    PRIOR_TTL         worker: where the face was  worker, before it measures the next
                                                     in the latest frame, and    frame; deleted when the session ends
                                                     small pictures of it
chip:{frame}               string  CHIP_TTL          worker of frames: an        identity worker; deleted when it is
                                                     aligned face, 150 pixels    compared, or the session ends
                                                     wide, of a few frames
crops:{frame}              string  CHIP_TTL          worker of frames: crops of  identity worker; deleted when they
                                                     a face for EVIDENCE_MODEL   are scored, or the session ends
candidate:{frame}          string  CHIP_TTL          worker of frames: a frame   identity worker; deleted when its
                                                     that may be the portrait    face is compared, or the session ends
anchor:{session}           string  the rest of the   identity worker: the        identity worker; deleted when the
                                   session's own     descriptor of the           session ends or is cancelled
                                                     session's first face
reference:{session}        string  the rest of the   identity worker: the        identity worker; deleted when the
                                   session's own     descriptor of the picture   session ends or is cancelled
                                                     given at creation
picture:{session}          string  CHIP_TTL          api: the picture given at   identity worker; deleted when it is
                                                     creation                    described, or the session ends
references                 zset    REFERENCE_WAITS   api: sessions whose         api, before it takes another picture;
                                                     picture waits, with the     the identity worker removes it
                                                     time as score
portrait:{session}         hash    the rest of the   identity worker: the best   api; deleted when it is dropped, or
                                   session's own,    compared frame of a         the session ends other than live
                                   then              session created with
                                   PORTRAIT_TTL;     portrait=true
                                   FETCHED_TTL once
                                   it was fetched
ended:{session}            string  the rest of the   the process that ends or    every process that writes one of the
                                   session's own,    deletes the session         session's keys above, in the same
                                   and ENDED_MARGIN                              script
sequence:{session}         list    the rest of the   api: nonces of the latest   api, before it admits a frame of
                                   session's own     answers, newest first       a session with sequence=required;
                                                                                 deleted when the session ends
workers:{queue}            zset    PRESENCE_TTL      each worker process, every  api (/readyz)
                                                     PRESENCE_EVERY seconds,
                                                     its last sign of life
idempotency:{digest}       string  SESSION_TTL       api: request and answer of  api, when the request is repeated
                                                     a creation with an
                                                     Idempotency-Key
limit:{limit}:{subject}    string  until the bucket  api: the time at which the  api, before it creates a session
                                   is full, a        token bucket is full again  or admits a frame, or answers 401
                                   period at most
shares:{second}            hash    SHARES_TTL        api: frames admitted in     api, before it admits another frame
                                                     a second, by network or
                                                     session; "": all
behind                     string  BEHIND_TTL        api, while the workers are   api, before it creates a
                                                     behind                      session or admits its first
                                                                                 frame
effort:{session}           string  until the bucket  worker: the time at which   worker, before it decodes a frame
                                   is full again     the session may decode at
                                                     full length again
metrics:totals             hash    METRICS_TTL       every process: its counts,  api (/metrics)
                                                     every few seconds
tried:1, tried:2           string  deleted in the     api (/readyz), and each     nobody: it shows that Redis takes writes
                                   same script        process at its start
metrics:pushed:{process}   string  PUSHED_TTL        every process: the number   the same script, so that a push counts
                                                     of its latest push          once

A queue on Redis adds dramatiq's own keys, described at the head of its `redis/dispatch.lua`: `dramatiq:{queue}` and its
`.msgs`, `.DQ`, `.DQ.msgs`, `.XQ`, `.XQ.msgs`, `dramatiq:__acks__.*` and `dramatiq:__heartbeats__`. They have no time to
live: Redis removes a list, hash or set that has become empty, a message leaves them when it has been processed or is too
old, and heartbeats are removed with their worker. One key beside them is ours:

dramatiq:{queue}.wake      list    WAKE_TTL          the sender of a message: a  an idle worker, by a blocking pop
                                                     token for each message

Events on Redis add kombu's own keys to the database of EVENTS_URL: a list for each subscriber's queue, under the queue's
name; the set `_kombu.binding.liveness` of subscriptions; and `unacked`, `unacked_index` and `unacked_mutex` for messages
that consumers have not acknowledged. Except for the last they have no time to live, since events wait for subscribers.
"""

from __future__ import annotations

#: Seconds that an answer is kept; the request that waits for it gives up long before.
ANSWER_TTL = 30

#: Seconds that the frames in progress are remembered after the latest one was added.
INFLIGHT_TTL = 30

#: Key of the frames of all sessions that wait for a worker or are being measured, scored by when they began to wait.
UNDERWAY = "underway"

#: Seconds that the frames admitted in a second are remembered: for that second and the next, by any machine's clock.
SHARES_TTL = 5

#: Key that exists while the workers are behind, or were a moment ago.
BEHIND = "behind"

#: Seconds that the workers still count as behind after they were: the frames under way vary from one moment to the next,
#: and sessions that were admitted in a lull would take from those that are under way.
BEHIND_TTL = 2

#: Key of the sessions whose reference picture waits to be described, scored by when it began to wait.
REFERENCES = "references"

#: Seconds that a reference picture waits at most: then its message is too old.
REFERENCE_WAITS = 15

#: Seconds that a prior is kept; an older position of a face is useless.
PRIOR_TTL = 10

#: Seconds that a chip is kept; a comparison that is not made within half of that time is dropped.
CHIP_TTL = 30

#: Seconds after the end of a live session for which its portrait can be fetched.
PORTRAIT_TTL = 300

#: Seconds after its first fetch for which a portrait can be fetched again, in case the connection broke.
FETCHED_TTL = 30

#: Seconds beyond a session's own time that its mark is kept: longer than any worker works on a frame.
ENDED_MARGIN = 60

#: Keys that are written to see whether Redis takes writes; in a cluster they belong to different nodes.
TRIED = ("tried:1", "tried:2")

#: Seconds between two signs of life of a worker process.
PRESENCE_EVERY = 2.0

#: Seconds without a sign of life after which a worker process counts as gone.
PRESENCE_LATELY = 10.0

#: Seconds that signs of life are kept; longer than PRESENCE_LATELY, so that no worker disappears early.
PRESENCE_TTL = 60

#: Seconds that the totals are kept after the last push of any process; after a longer pause counting starts over.
METRICS_TTL = 7 * 24 * 3600

#: Seconds that the number of a process's latest push is kept, within which a repeated push counts once.
PUSHED_TTL = 3600

#: Key of the totals that all processes have counted.
METRICS = "metrics:totals"

#: Seconds that unused wake-up tokens are kept; messages are found without them.
WAKE_TTL = 60


def frame(frame_id: str) -> str:
    """Key of the picture of a frame."""
    return f"frame:{frame_id}"


def camera(frame_id: str) -> str:
    """Key of what the client said of its camera with a frame."""
    return f"camera:{frame_id}"


def answer(frame_id: str) -> str:
    """Key of a worker's answer to a frame."""
    return f"answer:{frame_id}"


def inflight(session_id: str) -> str:
    """Key of the frames of a session that have arrived and are not answered yet."""
    return f"inflight:{session_id}"


def prior(session_id: str) -> str:
    """Key of the prior of a session's latest measured frame."""
    return f"prior:{session_id}"


def chip(frame_id: str) -> str:
    """Key of the chip of a frame, which waits to be compared."""
    return f"chip:{frame_id}"


def crops(frame_id: str) -> str:
    """Key of the crops of a frame, which wait for the operator's own model."""
    return f"crops:{frame_id}"


def candidate(frame_id: str) -> str:
    """Key of the picture of a frame that becomes the portrait if its face is the session's."""
    return f"candidate:{frame_id}"


def anchor(session_id: str) -> str:
    """Key of the descriptor of a session's first face, with which the later ones are compared."""
    return f"anchor:{session_id}"


def reference(session_id: str) -> str:
    """Key of the descriptor of the picture given at a session's creation."""
    return f"reference:{session_id}"


def picture(session_id: str) -> str:
    """Key of the picture given at a session's creation."""
    return f"picture:{session_id}"


def portrait(session_id: str) -> str:
    """Key of the best frame of a session so far."""
    return f"portrait:{session_id}"


def ended(session_id: str) -> str:
    """Key of the mark of a session that has ended or was deleted."""
    return f"ended:{session_id}"


def sequence(session_id: str) -> str:
    """Key of the nonces of a session's latest answers."""
    return f"sequence:{session_id}"


def of_face(session_id: str) -> list[str]:
    """All keys of a session that hold something of a face, except the portrait, which may outlive a live session."""
    return [of(session_id) for of in (prior, anchor, reference, picture)]


def workers(queue: str) -> str:
    """Key of the worker processes that serve a queue."""
    return f"workers:{queue}"


def idempotency(digest: str) -> str:
    """Key of the answer to a creation with an Idempotency-Key."""
    return f"idempotency:{digest}"


def limit(name: str, subject: str) -> str:
    """Key of a token bucket: of the limit `name`, for an API key, a network or a session."""
    return f"limit:{name}:{subject}"


def shares(second: int) -> str:
    """Key of the frames admitted in a second, by sharer."""
    return f"shares:{second}"


def effort(session_id: str) -> str:
    """Key of the processor time that a session's pictures have taken."""
    return f"effort:{session_id}"


def pushed(process: str) -> str:
    """Key of the number of a process's latest push of metrics."""
    return f"metrics:pushed:{process}"


def wake(namespace: str, queue_name: str) -> str:
    """Key of the tokens that wake idle workers of a queue."""
    return f"{namespace}:{queue_name}.wake"
