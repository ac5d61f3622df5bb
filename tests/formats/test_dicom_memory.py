"""What is remembered of headers: for unchanged files only, bounded, and never on disk."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.formats import dicom_gather, dicom_memory
from napari_medlabel.formats.dicom_gather import forget_headers, gather
from napari_medlabel.formats.dicom_memory import HeaderMemory
from napari_medlabel.formats.dicom_scan import scan_dicom
from tests.formats.made_dicom import ramp, save, save_all, stack

SHAPE = (4, 6, 8)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start with nothing, and take what was just written for settled."""
    forget_headers()
    monkeypatch.setattr(dicom_memory, "_COARSE_NS", -(10**12))


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    names: list[str] = []
    whole = dicom_gather.read_any_header

    def noted(*arguments: object) -> object:
        names.append("read")
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dicom_gather, "read_any_header", noted)
    return names


def test_a_folder_that_did_not_change_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    names = reads(monkeypatch)
    (first,), _ = scan_dicom(tmp_path)
    assert len(names) == 4
    (again,), _ = scan_dicom(tmp_path)
    assert len(names) == 4
    assert again.volumes[0].parts == first.volumes[0].parts
    forget_headers()
    scan_dicom(tmp_path)
    assert len(names) == 8


@pytest.mark.parametrize("how", ["rewritten", "replaced", "touched", "longer"])
def test_a_file_that_changed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    scan_dicom(tmp_path)
    names = reads(monkeypatch)
    path = tmp_path / "IM0002"
    other = stack(ramp(SHAPE), origin=(1.0, 2.0, 3.0))[2]
    time.sleep(0.02)
    if how == "rewritten":
        save(path, other)
    elif how == "replaced":
        save(tmp_path.parent / "other", other).replace(path)
    elif how == "longer":
        with path.open("ab") as file:
            file.write(bytes(20))
    else:
        path.touch()
    slices, _ = gather(tmp_path)
    assert names == ["read"]
    changed = [one for one in slices if one.position and one.position[0] == 1.0]
    assert len(changed) == (how in {"rewritten", "replaced"})


def test_a_file_that_just_changed_is_not_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dicom_memory, "_COARSE_NS", 2 * 10**9)
    save_all(tmp_path, stack(ramp(SHAPE)))
    names = reads(monkeypatch)
    scan_dicom(tmp_path)
    scan_dicom(tmp_path)
    assert len(names) == 8


@given(lengths=st.lists(st.integers(0, 12), max_size=30))
def test_no_more_is_kept_than_the_bound(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("kept")
    memory: HeaderMemory[tuple[int, ...]] = HeaderMemory(10)
    for n, length in enumerate(lengths):
        path = folder / str(n)
        path.write_bytes(b"x")
        stamp, _ = memory.find(str(path))
        assert stamp is not None
        memory.keep(str(path), stamp, tuple(range(length)))
        assert len(memory) <= 10
    last = len(lengths) - 1
    if lengths and lengths[last] <= 10:
        assert memory.find(str(folder / str(last)))[1] == tuple(range(lengths[last]))


def test_threads_that_scan_at_once_agree(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp((20, 6, 8))))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: scan_dicom(tmp_path)[0][0], range(12)))
    expected = found[0].volumes[0].geometry
    assert expected is not None
    for one in found:
        geometry = one.volumes[0].geometry
        assert geometry is not None
        np.testing.assert_array_equal(geometry.lps_from_kji, expected.lps_from_kji)


def test_nothing_is_written_anywhere(tmp_path: Path) -> None:
    save_all(tmp_path / "study", stack(ramp(SHAPE)))
    before = sorted(tmp_path.rglob("*"))
    scan_dicom(tmp_path / "study")
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_file_is_not_known(tmp_path: Path) -> None:
    memory: HeaderMemory[tuple[int, ...]] = HeaderMemory(10)
    for path in (tmp_path, tmp_path / "gone", "\0"):
        assert memory.find(str(path)) == (None, None)
