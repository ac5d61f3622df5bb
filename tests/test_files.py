"""New files and folders are there whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from napari_medlabel.errors import OutputError
from napari_medlabel.files import new_file, new_folder, shown


def write_and_fail(hidden: Path, error: Exception) -> None:
    hidden.write_bytes(b"half")
    raise error


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "mask.nii.gz"
    with new_file(target) as hidden:
        hidden.write_bytes(b"whole")
        seen_inside = target.exists()
        suffix_inside = hidden.name.endswith("mask.nii.gz")
    assert not seen_inside
    assert suffix_inside
    assert target.read_bytes() == b"whole"
    assert names(tmp_path) == ["mask.nii.gz"]


def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    with new_file(tmp_path / "ours"):
        pass
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("other", "ours")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("force", [False, True])
def test_a_failing_writer_leaves_nothing_and_keeps_the_old_file(
    tmp_path: Path, *, force: bool
) -> None:
    target = tmp_path / "mask.nii"
    if force:
        target.write_bytes(b"old")
    before = names(tmp_path)
    with pytest.raises(ZeroDivisionError), new_file(target, force=force) as hidden:
        write_and_fail(hidden, ZeroDivisionError())
    assert names(tmp_path) == before
    assert not force or target.read_bytes() == b"old"


def test_a_full_disk_is_one_clear_line_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="the disk is full") as caught,
        new_file(tmp_path / "mask.nii") as hidden,
    ):
        write_and_fail(hidden, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert caught.value.hint
    assert names(tmp_path) == []


def test_what_the_block_reads_fails_under_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_file(tmp_path / "mask.nii"):
        (tmp_path / "not-there").read_bytes()
    assert names(tmp_path) == []


def test_an_existing_file_is_never_replaced_without_force(tmp_path: Path) -> None:
    target = tmp_path / "mask.nii"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"), new_file(target):
        pass
    with new_file(target, force=True) as hidden:
        hidden.write_bytes(b"new")
    assert target.read_bytes() == b"new"


def test_a_file_that_somebody_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "mask.nii"
    with pytest.raises(OutputError, match="exists already"), new_file(target):
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["mask.nii"]


def test_a_file_system_without_hard_links_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_self: Path, _target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    with new_file(tmp_path / "mask.nii") as hidden:
        hidden.write_bytes(b"whole")
    assert (tmp_path / "mask.nii").read_bytes() == b"whole"
    assert names(tmp_path) == ["mask.nii"]


@pytest.mark.parametrize("make", [new_file, new_folder])
@pytest.mark.parametrize(
    ("name", "words"), [("none/mask", "does not exist"), ("file/mask", "is not a folder")]
)
def test_a_missing_folder_is_named(tmp_path: Path, make: object, name: str, words: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=words), make(tmp_path / name):  # type: ignore[operator]
        pass


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def denied(*_arguments: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(OutputError, match="cannot be written to"), new_file(tmp_path / "mask"):
        pass


def test_names_may_have_spaces_umlauts_and_newlines_and_be_long(tmp_path: Path) -> None:
    wanted = ["Ünder öne.nii", "two\nlines.nii", "ü" * 125 + ".nii"]
    for name in wanted:
        with new_file(tmp_path / name) as hidden:
            hidden.write_bytes(b"whole")
    assert names(tmp_path) == sorted(wanted)


def test_an_error_about_a_strange_name_is_still_one_line(tmp_path: Path) -> None:
    target = tmp_path / "two\nlines"
    target.touch()
    with pytest.raises(OutputError) as caught, new_file(target):
        pass
    assert "\n" not in str(caught.value)
    assert shown("a\nb\udcff") == "a\\nb\\udcff"


def test_a_new_folder_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "image.zarr"
    with new_folder(target) as hidden:
        (hidden / "deep").mkdir()
        (hidden / "deep" / "chunk").write_bytes(b"whole")
        seen_inside = target.exists()
    assert not seen_inside
    assert (target / "deep" / "chunk").read_bytes() == b"whole"
    assert names(tmp_path) == ["image.zarr"]


def test_a_failing_writer_keeps_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "image.zarr"
    target.mkdir()
    (target / "zarr.json").write_bytes(b"old")
    with (
        pytest.raises(ZeroDivisionError),
        new_folder(target, force=True, marker="zarr.json") as hidden,
    ):
        write_and_fail(hidden / "zarr.json", ZeroDivisionError())
    assert (target / "zarr.json").read_bytes() == b"old"
    assert names(tmp_path) == ["image.zarr"]


def test_force_replaces_only_a_folder_of_its_own_kind(tmp_path: Path) -> None:
    target = tmp_path / "image.zarr"
    target.mkdir()
    (target / "thesis.odt").touch()
    with (
        pytest.raises(OutputError, match="holds other things"),
        new_folder(target, force=True, marker="zarr.json"),
    ):
        pass
    (target / "zarr.json").touch()
    with new_folder(target, force=True, marker="zarr.json") as hidden:
        (hidden / "zarr.json").write_bytes(b"new")
    assert names(target) == ["zarr.json"]
    assert names(tmp_path) == ["image.zarr"]


def test_an_existing_folder_is_never_replaced_without_force(tmp_path: Path) -> None:
    (tmp_path / "image.zarr").mkdir()
    with pytest.raises(OutputError, match="exists already"), new_folder(tmp_path / "image.zarr"):
        pass
