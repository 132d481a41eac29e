"""The page `/lab`, beside a session that a person goes through."""

from __future__ import annotations

from collections.abc import Callable

from tests.e2e.browser import View

Look = Callable[..., View]


def test_signals_judge_evidence_and_answers_of_a_session_under_way(look: Look, patience: int) -> None:
    view = look(f"lab?challenges=1&types=TURN_LEFT&timeout={patience}", viewport={"width": 1400, "height": 1000})
    view.has_no_barrier()
    view.press("Start")
    view.until_told("challenge")
    view.until("document.querySelectorAll('#yaw polyline').length > 0")
    view.until("document.querySelector('#judge').innerText.includes('confidence')")
    view.has_no_barrier()
    view.wait_for("done", within=2 * patience)
    view.page.locator("#notice", has_text="completed").wait_for()

    page = view.page
    for plot in ("yaw", "pitch", "eyes", "mouth", "smile"):
        points = page.evaluate(f"document.querySelector('#{plot} polyline').getAttribute('points').split(' ').length")
        assert points > 10, plot
    assert page.locator("#eyes polyline.two").count(), "both eyes"
    assert page.locator("#plots line.need").count() == 7, "each challenge's threshold"
    assert page.locator("#plots line.need.now").count() == 1, "and which of them it was about"
    assert page.locator("#evidence tbody tr").count() >= 7
    assert "frozen" in page.locator("#evidence").inner_text()
    answers = page.locator("#answers").inner_text()
    assert '"is_live":true' in answers.splitlines()[0], "the newest first"
    assert answers.count('"passed":true') == 1
    # The head's curve rose above its line where the turn passed.
    heights = page.evaluate(
        """() => {
            const points = [...document.querySelectorAll("#yaw polyline")].flatMap((line) =>
                line.getAttribute("points").split(" ").map((point) => Number(point.split(",")[1])));
            return [Math.min(...points), Number(document.querySelector("#yaw line.need").getAttribute("y1"))];
        }"""
    )
    assert heights[0] <= heights[1]
    assert not view.complaints
