"""The command line of `ops/replay`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from liveness_client import Client, ClientError, Options
from ops.lab.replay.play import play
from ops.lab.replay.screen import Screen
from ops.lab.replay.sources import Camera, Drawing, Source, SourceError, Video

#: Exit statuses; click also exits with 2 on a wrong argument.
LIVE, NOT_LIVE, UNUSABLE, INTERRUPTED = 0, 1, 2, 130

_VIDEO = click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("video", required=False, type=_VIDEO)
@click.option("--camera", type=int, is_flag=False, flag_value=0, metavar="[INDEX]", help="A camera; the first is 0.")
@click.option("--performer", is_flag=True, help="The drawn performer, who does what is asked.")
@click.option("--url", default="http://localhost:8000", show_default=True, help="The server's address.")
@click.option("--fps", type=click.FloatRange(0.5, 30), default=8.0, show_default=True, help="Frames a second.")
@click.option("--challenges", type=click.IntRange(1, 10), help="Number of challenges; else the server's default.")
@click.option("--timeout", type=click.FloatRange(1, 60), help="Seconds for each challenge; else the server's default.")
@click.option("--reveal", type=click.Choice(["all", "next"]), help="Show all challenges at once, or one at a time.")
@click.option("--once", is_flag=True, help="End with the video; else it begins again until the session ends.")
@click.option("--mirrored", is_flag=True, help="The pictures are mirrored, as in a selfie view; so is the performer.")
@click.option("--seed", type=int, default=0, help="The seed of the performer's room and small movements.")
def replay(
    *,
    video: Path | None,
    camera: int | None,
    performer: bool,
    url: str,
    fps: float,
    challenges: int | None,
    timeout: float | None,
    reveal: Literal["all", "next"] | None,
    once: bool,
    mirrored: bool,
    seed: int,
) -> None:
    """Play VIDEO, a camera or the drawn performer as a client against a running server, in real time.

    Ends with 0 when the server says live, 1 when it does not, 2 when it cannot be asked, 130 on Ctrl-C (the session is
    then cancelled). The performer is a drawing: that it can pass is a limit of checks that look at landmarks alone.
    """
    if [video is not None, camera is not None, performer].count(True) != 1:
        raise click.UsageError("Name one source: a video file, --camera or --performer.")
    console, errors = Console(), Console(stderr=True)
    source: Source | None = None
    try:
        source = _source(video, camera, once=once, fps=fps, seed=seed, mirrored=mirrored)
        with Client(url) as client, Screen(console) as screen:
            wanted = Options(challenges=challenges, timeout_seconds=timeout, mirrored=mirrored, reveal=reveal)
            outcome = play(client, source, screen, fps=fps, **wanted)
            screen.ended(outcome)
        status = LIVE if outcome.live else NOT_LIVE
    except (ClientError, SourceError) as error:
        errors.print(f"✗ {error}", highlight=False, soft_wrap=True, markup=False)
        status = UNUSABLE
    except KeyboardInterrupt:
        errors.print("✗ Interrupted; a session under way is cancelled.")
        status = INTERRUPTED
    finally:
        if source is not None:
            source.close()
    sys.exit(status)


def _source(video: Path | None, camera: int | None, *, once: bool, fps: float, seed: int, mirrored: bool) -> Source:
    if video is not None:
        return Video(video, once=once)
    if camera is not None:
        return Camera(camera)
    from shared.settings import load_settings_or_exit

    # MODELS_DIR and .env are relative to the repository's top, whatever the current directory.
    os.chdir(Path(__file__).resolve().parents[3])
    return Drawing(load_settings_or_exit().models_dir, fps, seed=seed, mirrored=mirrored)


if __name__ == "__main__":
    replay(prog_name="ops/replay")
