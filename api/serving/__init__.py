"""The web server of production, and a list of all places in which a frame can be turned away.

`worker` is the gunicorn worker, `arriving` finds the end of a request in its bytes, `draining` stops without losing a
connection, and `door` refuses frames without a thread.

A frame meets the places in this order. Each one stands before the next cost: a descriptor, memory, a thread, a look at
keys, a row, a place among the frames under way, a parsed picture, a worker. A service that is behind and refuses late pays
for the refusal with the processor that judging needs, so there are many places. `api.problems.KINDS` has the sentences.

In the process's loop, before a request has a thread:

 1. The listening socket: gunicorn's `backlog` is full, and the system takes no further connection.
 2. `api.serving.worker.ReceivingWorker.accept`: the process has `worker_connections` connections, or no descriptor is left.
    The connection that has been awaited longest is closed; 408 `too_slow` if a part of its request has come.
 3. `api.serving.worker.ReceivingWorker.murder_pending`: the request is not whole in the time that
    `api.serving.slow_clients` gives it, or the process stops (`STOPPING`). 408 `too_slow`. A slow client
    must not hold a thread.
 4. `api.serving.worker.ReceivingWorker._take`: requests that have no thread hold more than
    `slow_clients.MOST_BUFFERED` bytes. The largest one gives way: 503 `unavailable`.
 5. `api.serving.door.Door.refusal`: the gate is shut (10). 503 `overloaded`, at a sixth of the cost of 7.

In a thread, before the app knows the frame:

 6. gunicorn's parser (`api.serving.worker.ReceivingWorker.handle_error`): the bytes are not HTTP, or the head is too large.
    400 `bad_request`, 414 `uri_too_long`, 431 `head_too_large`, 501 `coding_unknown`.
 7. `api.frames.refuse_unasked`: as 5, for requests that the door leaves to the app, and for other servers than gunicorn.
    503 `overloaded`.
 8. `api.open_mode._refuse_others`: 403 `host_not_allowed`, and while no key is asked for, 403 `peer_not_allowed`. Then
    `api.access._guard`: the head announces too large a body: 413 `picture_too_large`. Then who asks: 401 `key_missing`,
    401 `key_unknown`, 401 `token_unknown`, 401 `token_expired`, or 429 `too_many_refusals` in place of a 401
    (LIMIT_REFUSALS_BY_ADDRESS); 403 `forbidden`, 403 `other_session`, 403 `other_browser`; 503
    `database_unavailable` if the keys cannot be read. Then `api.strictness`: 422 `invalid_parameter` for a parameter that
    frames do not have, 415 `content_coding` for a compressed body.
 9. `api.frames.submit_frame`: 422 `invalid_parameter`; 404 `session_not_found`, also for a session of another key; 503
    `database_unavailable`. A session that has ended is answered by its state (200), so that a client's loop ends.

Before the picture is read:

10. `api.frames._enter`: 503 `overloaded` if the frame has waited for a thread for FRAME_WAIT seconds. Then, in one question
    to Redis (`shared.handoff.inflight.enter`): 503 `overloaded` if the workers are behind (FRAMES_PER_WORKER, FRAME_WAIT),
    which shuts the gate for all frames of this process for a moment, or if the session has not begun and the workers have
    enough to do with others, or its address has had more than its share of the workers, which shuts it for this session;
    429 `too_many_frames` if the session has FRAMES_PER_SESSION under way, or no token is left in the bucket of the session
    (LIMIT_FRAMES), the address (LIMIT_FRAMES_BY_ADDRESS) or the key (LIMIT_FRAMES_BY_KEY); 503 `redis_unavailable`.
11. `api.frames._pass_on`: 409 `out_of_sequence` for a frame of a session with sequence=required that does not carry
    the nonces of the latest answers (`shared.liveness.sequence`); 503 `redis_unavailable`. Then
    `api.uploads.read_frame`: 415 `not_multipart`, 400 `malformed_form`, 422 `invalid_parameter` for a part that frames do
    not have, 422 `image_missing`, 422 `image_not_a_file`,
    422 `image_empty`, 422 `camera_report`, 422 `not_an_image`, 422 `unsupported_image`, 422 `image_too_complex`, 422
    `truncated_image`, 413 `too_many_pixels`; for a body in chunks, 413 `picture_too_large` (it announces no size) and 400
    `bad_request` (a chunk is malformed). What no worker could use, or what costs out of proportion to decode, must not
    wait in the queue.

While the request waits for its answer:

12. `api.frames._pass_on`: 503 `redis_unavailable` or 503 `queue_unavailable` where the frame cannot be passed on; 503
    `no_answer_in_time` after FRAME_DEADLINE seconds. The message of a frame that nobody waits for expires in the queue
    (`max_age` of `workers.frames.declare`), and its picture in Redis (`shared.handoff.frame_pictures.put`).
13. `workers.frames.FrameWork`: a worker that is behind passes a frame over for a newer one of its session (200, with the
    hint `superseded`); 404 `session_not_found` and the state of an ended session as in 9, for a session that has been
    cancelled or has ended meanwhile; 503 `database_unavailable`; 503 `unavailable` after a fault or the time limit; 429
    `too_many_frames` while the session's pictures have taken more of the processor than they may (`shared.handoff.effort`).
14. `workers.vision.decode.decode`: 422 `not_an_image`, 422 `unsupported_image`, 422 `image_too_complex`, 422
    `truncated_image`, 422 `image_too_small`, 413 `too_many_pixels`. `workers.vision.isolated.Decoder`: 422
    `image_too_complex` where decoding takes more of the processor than it may, or ends the decoder's process.

Everywhere in the app, 500 `internal_error` (`api.problems`) answers a fault of our own.

Places that look alike and are two for a reason:

- 5 and 7 ask the same gate. The door reads only the requests that nearly every client sends; the others need the app's
  parser and its CORS headers.
- 8 and 11 hold the same limit of bytes. 8 costs nothing, and a body in chunks has no announced size.
- 10 holds FRAME_WAIT twice: against the wait for a thread, which no other process can see, and against the oldest frame
  that waits for a worker, which only Redis knows.
- 10 limits a session twice: the frames under way bound the work for it at one moment, the bucket bounds it over time.
- 11 and 14 look at the same picture. 11 sees its headers and its end; only a worker decodes it, and does not rely on 11.
- 9 and 13 look up the same session. It may end while its frame waits, and 9 believes a look for
  `api.session_cache.TRUST` seconds.
"""
