"""When a face is searched, followed, given up and found again."""

from __future__ import annotations

import numpy as np
import pytest

from shared.liveness.observation import Problem
from tests.unit.vision.fakes import FACE, PLACE, FakeEngine, FakeFinder, Watched, scene
from tests.unit.vision.heads import head, seen
from tests.unit.vision.pictures import encode
from workers.vision.finder import Found
from workers.vision.landmarks import Landmarks, Region
from workers.vision.moved import SEEN
from workers.vision.pipeline import CARRY, DARK_ROOM, FOLLOW, SEARCH_EVERY, SECOND_FACE, SECOND_FACE_SCORE


def test_a_new_face_is_searched_and_looked_at_where_it_was_found():
    """Without a prior the finder leads the engine."""
    watched = Watched()
    observation = watched(0.0)
    assert (observation.faces, observation.problem) == (1, None)
    assert watched.finder.asked == 1
    region = watched.engine.asked[0]
    assert (region.x, region.y) == (320, 240)
    assert region.side == pytest.approx(watched.engine.region_scale * FACE.width)


def test_a_face_is_followed_where_it_was_without_a_search():
    """The engine looks where its own points were; the finder rests between two searches."""
    watched = Watched()
    for at in np.arange(0, SEARCH_EVERY, 0.1):
        assert watched(at).usable
    assert watched.finder.asked == 1
    assert {(r.x, r.y, r.side) for r in watched.engine.asked[1:]} == {(320.0, 240.0, 180.0)}


def test_the_whole_picture_is_searched_now_and_then():
    """A second person may come in at any time."""
    watched = Watched()
    for at in np.arange(0, 10, 0.1):
        watched(at)
    assert 10 / SEARCH_EVERY * 0.8 <= watched.finder.asked <= 10 / SEARCH_EVERY + 1


@pytest.mark.parametrize(("at", "prior_at"), [(FOLLOW + 0.1, 0.0), (1.0, 1.2)])
def test_an_old_or_later_place_is_not_looked_at(at, prior_at):
    """After a pause, and for a frame that was overtaken, the face is searched again."""
    watched = Watched()
    watched(prior_at)
    watched(at)
    assert watched.finder.asked == 2
    assert all(r.side == pytest.approx(1.6 * FACE.width) for r in watched.engine.asked)


def test_who_is_not_there_is_not_seen():
    """No finder finds a face: none is measured, and nothing is followed into the next frame."""
    watched = Watched(finder=FakeFinder([]))
    observation = watched(0.0)
    assert (observation.faces, observation.face, observation.problem) == (0, None, Problem.NO_FACE)
    assert watched.prior is None


def test_what_a_finder_takes_for_a_face_and_the_engine_does_not_is_none():
    """The engine has the last word."""
    watched = Watched(FakeEngine(sureness=0.3))
    assert watched(0.0).problem is Problem.NO_FACE


def test_a_face_that_leaves_is_lost_at_once_and_found_again_when_it_returns():
    """An engine that sees no face any more ends the following; the next one that is found starts it again."""
    watched = Watched()
    assert watched(0.0).usable
    watched.engine.sureness, watched.finder.found = 0.1, []
    assert watched(0.1).problem is Problem.NO_FACE
    assert watched.prior is None
    watched.engine.sureness, watched.finder.found = 0.99, [FACE]
    assert watched(0.2).usable


def test_points_that_are_only_carried_on_end_after_a_while():
    """Within a strong turn nobody sees the face for themselves; after CARRY seconds it is not believed any more."""
    watched = Watched()
    watched(0.0)
    watched.engine.sureness, watched.finder.found = (0.5 + SEEN) / 2, []
    times = np.arange(0.2, CARRY + 1.2, 0.2)
    usable = [watched(at).usable for at in times]
    assert usable == [at <= CARRY + 1e-6 for at in times]


def test_a_face_that_is_seen_again_in_time_may_be_carried_on_anew():
    """Each sight of it counts from then on."""
    watched = Watched(finder=FakeFinder([FACE]))
    usable = []
    for i, at in enumerate(np.arange(0, 4, 0.2)):
        watched.engine.sureness = 0.99 if i % 4 == 0 else 0.5
        usable.append(watched(at).usable)
        watched.finder.found = []
    assert all(usable)


def test_a_face_the_finders_lose_is_one_face_still():
    """Where the engine is sure, a finder that sees nothing takes nothing away."""
    watched = Watched()
    watched(0.0)
    watched.finder.found = []
    observation = watched(SEARCH_EVERY + 0.1)
    assert (observation.faces, observation.problem) == (1, None)


def beside(size: float, score: float) -> list[Found]:
    """The face, and another one that is `size` times as large."""
    return [FACE, Found(20.0, 20.0, size * FACE.width, size * FACE.height, 0.0, score)]


def test_a_second_person_is_a_problem_from_then_until_they_leave():
    """Also in the frames between two searches."""
    watched = Watched()
    assert watched(0.0).usable
    watched.finder.found = beside(1.0, 0.95)
    seen = [watched(SEARCH_EVERY + 0.1 + i / 10) for i in range(3)]
    assert [(o.faces, o.problem) for o in seen] == [(2, Problem.SEVERAL_FACES)] * 3
    assert all(o.face is not None for o in seen)
    watched.finder.found = [FACE]
    assert watched(3 * SEARCH_EVERY).usable


@pytest.mark.parametrize(
    ("size", "score", "faces"),
    [
        (SECOND_FACE + 0.05, SECOND_FACE_SCORE + 0.05, 2),
        (SECOND_FACE - 0.05, 0.99, 1),
        (0.99, SECOND_FACE_SCORE - 0.05, 1),
    ],
)
def test_small_and_doubtful_faces_beside_are_no_second_person(size, score, faces):
    """Pictures on a wall, passers-by and folds of a curtain do not stop anybody."""
    assert Watched(finder=FakeFinder(beside(size, score)))(0.0).faces == faces


@pytest.mark.parametrize(("level", "problem"), [(DARK_ROOM / 2, Problem.TOO_DARK), (DARK_ROOM * 2, Problem.NO_FACE)])
def test_a_black_picture_without_a_face_is_too_dark(level, problem):
    """Where nothing can be seen at all, darkness is why."""
    observation = Watched(finder=FakeFinder([]))(0.0, lambda: scene(int(level), 5))
    assert observation.problem is problem
    assert observation.brightness == pytest.approx(level, abs=2)


def test_an_observation_says_where_it_comes_from():
    """Size of the upright picture, the same digest for the same bytes and another one for others, and the light."""
    watched = Watched()
    one, same, other = watched(0.0), watched(0.1), watched(0.2, lambda: scene(140))
    assert (one.width, one.height) == (640, 480)
    assert one.digest == same.digest != other.digest
    assert len(one.digest) == 16
    assert one.brightness == pytest.approx(128, abs=12)


def test_where_the_face_is_is_told_in_parts_of_the_longer_side():
    """So that it is the same at every resolution."""
    face = Watched()(0.0).face
    assert face.scale == pytest.approx(60 / 640, rel=0.01)
    left, top, width, height = face.box
    assert 0 < left < left + width < 1
    assert 0 < top < top + height < 0.75
    assert left + width / 2 == pytest.approx(0.5, abs=0.01)


def test_measuring_is_stateless():
    """The same bytes after the same prior give the same observation, whatever came between."""
    watched = Watched()
    watched(0.0)
    prior, data = watched.prior, encode(scene())
    first = watched.vision.measure(data, prior, 0.1)
    watched.vision.measure(encode(scene(60)), None, 5.0)
    assert watched.vision.measure(data, prior, 0.1) == first


class OneOfTwo(FakeEngine):
    """Sees two faces: a small one at the left, and a large one at PLACE, where it looks for a large one."""

    def locate(self, picture, region):
        self.asked.append(region)
        scale, at = (60.0, PLACE) if region.x > 200 else (20.0, (80.0, 100.0))
        points = seen(head(), scale=scale, at=at)[:, :2].astype(np.float32)
        return Landmarks(points, Region(*at, 3 * scale), self.sureness if scale > 30 else 0.99)


BEHIND = Found(60.0, 80.0, 40.0, 40.0, 0.0, 0.95)


def watched_from_behind() -> Watched:
    """The small face is followed, and then the large one is there as well."""
    watched = Watched(OneOfTwo(), FakeFinder([BEHIND]))
    assert watched(0.0).face.scale == pytest.approx(20 / 640, rel=0.02)
    watched.finder.found = [FACE, BEHIND]
    assert watched(0.1).face.scale == pytest.approx(20 / 640, rel=0.02)
    return watched


def test_who_comes_before_a_picture_on_the_wall_is_followed_instead_of_it():
    """With the next search of the whole picture; nothing of the face behind is taken over."""
    watched = watched_from_behind()
    came = watched(SEARCH_EVERY + 0.1)
    assert (came.faces, came.problem, came.stir, came.flex) == (1, None, None, None)
    assert came.face.scale == pytest.approx(60 / 640, rel=0.02)
    assert watched(SEARCH_EVERY + 0.2).face.scale == pytest.approx(60 / 640, rel=0.02)


def test_what_the_finder_alone_takes_for_a_larger_face_is_not_followed():
    """The engine must see it for itself."""
    watched = watched_from_behind()
    watched.engine.sureness = (watched.engine.least_sureness + SEEN) / 2
    assert watched(SEARCH_EVERY + 0.1).face.scale == pytest.approx(20 / 640, rel=0.02)


def test_a_larger_face_that_is_no_stranger_to_the_first_one_takes_nothing_over():
    """Of two people in front of the camera the followed one stays it, and that they are two is said."""
    watched = Watched()
    watched(0.0)
    watched.finder.found = [Found(10.0, 10.0, 180.0, 180.0, 0.0, 0.95), FACE]
    both = watched(SEARCH_EVERY + 0.1)
    assert (both.faces, both.problem) == (2, Problem.SEVERAL_FACES)
    assert watched.engine.asked[-1].side == 180.0
    assert len(watched.engine.asked) == 2
