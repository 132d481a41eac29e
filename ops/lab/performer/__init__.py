"""A drawn person who does what the challenges ask: for tests and demonstrations without anyone's video.

It is a drawing: a public-domain portrait (scikit-image's `astronaut`, by NASA), bent and painted. It stands in for a
person in tests of the service, and says nothing about how well the service tells people from attacks. On the contrary:
a judge that looks at landmarks can be fooled by such a drawing, injected as frames in the camera's place.
"""

from ops.lab.performer.performer import Performer
from ops.lab.performer.pose import NEUTRAL, Pose

__all__ = ["NEUTRAL", "Performer", "Pose"]
