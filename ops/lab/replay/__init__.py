"""`ops/replay`: plays a video, a camera or the drawn performer as a client against a running server, in real time."""
