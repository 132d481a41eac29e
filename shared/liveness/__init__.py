"""The domain: who must do what, what was seen, and what follows from it.

Pure: no pictures, no database, no queue, no clock and no randomness of its own. Times are seconds since the epoch, given
by the caller; angles are degrees; lengths on a face are in the person's own inter-ocular distances.
"""
