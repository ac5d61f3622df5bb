"""Known parts of the body, on generated patients and, where there are any, on real ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

import napari_medlabel as medlabel
from napari_medlabel.core.automatic import PARTS, Found, find
from napari_medlabel.core.automatic.shapes import closed, grown, opened, shrunk
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.phantom import Body, Head

# Oblique and anisotropic: what is found by place must follow the array, not the world.
TURN = np.array([[0.0, 0.1, 0.9949874], [0.0, 0.9949874, -0.1], [1.0, 0.0, 0.0]])
LUNGS, SPINE = 4, 5
BRAIN = (1, 2, 3)


def _grid(shape: tuple[int, int, int], mm: tuple[float, float, float], at: list[float]) -> Geometry:
    matrix = np.eye(4)
    matrix[:3, :3] = TURN * mm
    matrix[:3, 3] = at
    return Geometry(shape, matrix)


def _volume(
    voxels: npt.NDArray[np.generic], geometry: Geometry, *, ct: bool = True, unit: str = ""
) -> Volume:
    unit = unit or ("HU" if ct else "stored")
    modality = "" if unit == "stored" and ct else ("CT" if ct else "MR")
    return Volume((voxels,), geometry, Source("generated", geometry), modality, unit)


def _dice(one: BoolArray, other: BoolArray) -> float:
    return float(2 * np.count_nonzero(one & other) / (one.sum() + other.sum()))


Torso = tuple[Volume, npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def torso() -> Torso:
    grid = _grid((60, 100, 104), (6.6, 4.0, 4.0), [-204.0, -190.0, -150.0])
    body = Body()
    return _volume(body.ct(grid), grid), body.labels(grid)[0]


@pytest.fixture(scope="module")
def found(torso: Torso) -> dict[str, Found]:
    names = ("body", "skin", "lungs", "left-lung", "right-lung", "bone", "bowel-gas", "table",
             "outside")  # fmt: skip
    return {name: find(torso[0], name) for name in names}


@pytest.fixture(scope="module")
def head() -> Torso:
    grid = _grid((50, 112, 112), (4.5, 2.0, 2.0), [-112.0, -112.0, -112.0])
    person = Head()
    return _volume(person.ct(grid), grid), person.labels(grid)[0]


def test_lungs_are_found_and_parted_into_right_and_left(
    torso: Torso, found: dict[str, Found]
) -> None:
    labels = torso[1]
    lungs, left, right = (found[name].mask for name in ("lungs", "left-lung", "right-lung"))
    assert _dice(lungs, labels == LUNGS) > 0.97
    assert not (left & right).any()
    assert _dice(left | right, lungs) > 0.99
    # i runs to the patient's left.
    assert np.nonzero(left)[2].mean() > np.nonzero(right)[2].mean()
    assert 0.7 < left.sum() / right.sum() < 1.4
    assert "cuts it off above" in found["lungs"].notes[0]


def test_the_body_and_what_is_outside_are_all_there_is(
    torso: Torso, found: dict[str, Found]
) -> None:
    labels = torso[1]
    body = found["body"].mask
    np.testing.assert_array_equal(found["outside"].mask, ~body)
    assert body[labels > 0].mean() > 0.999
    # An ellipse 336 x 224 mm wide and deep at least: the torso as it is made.
    middle = body[30]
    assert middle.sum() * 16.0 == pytest.approx(np.pi * 168 * 112, rel=0.1)


def test_the_table_is_outside_and_the_skin_is_the_rim_of_the_body(found: dict[str, Found]) -> None:
    body, table, skin = (found[name].mask for name in ("body", "table", "skin"))
    assert not (table & body).any()
    assert table[:, :60].mean() < 0.001  # behind the back
    assert found["table"].ml > 300
    assert not (skin & ~body).any()
    inner = ndimage.binary_erosion(body, ndimage.generate_binary_structure(2, 1)[None])
    assert (skin & inner).sum() < 0.1 * skin.sum()


def test_bone_has_the_spine_and_the_bowel_has_gas(torso: Torso, found: dict[str, Found]) -> None:
    labels = torso[1]
    bone, gas = found["bone"].mask, found["bowel-gas"].mask
    assert bone[labels == SPINE].mean() > 0.85
    assert not (bone & (labels > 0) & (labels < LUNGS)).sum() > 0.01 * bone.sum()
    assert not (gas & (labels == LUNGS)).any()
    assert 50 < found["bowel-gas"].ml < 400


def test_a_vessel_full_of_contrast_is_no_bone() -> None:
    k, j, i = np.ogrid[:30, :90, :90]
    rng = np.random.default_rng(1)
    from_middle = np.hypot(j - 45, i - 45)
    hu = np.where(from_middle < 40, 45.0, -1000.0) * np.ones((30, 1, 1))
    hu += rng.normal(0, 10, hu.shape)
    vessel = (np.hypot(j - 38, i - 30) < 7) & (k >= 0)
    hu[vessel] = rng.normal(320, 10, int(vessel.sum()))
    spine = (np.hypot(j - 50, i - 58) < 10) & (k >= 0)
    shell = spine & ~((np.hypot(j - 50, i - 58) < 8) & (k >= 0))
    hu[spine] = rng.normal(190, 60, int(spine.sum()))
    hu[shell] = rng.normal(700, 80, int(shell.sum()))
    grid = Geometry.from_spacing(hu.shape, (3.0, 2.0, 2.0))
    bone = find(_volume(hu.astype(np.int16), grid), "bone").mask
    assert bone[vessel].mean() < 0.02
    assert _dice(bone, spine) > 0.9


@pytest.mark.parametrize("ct", [True, False])
def test_a_brain_is_found_without_its_skull(head: Torso, ct: bool) -> None:  # noqa: FBT001
    volume, labels = head
    if not ct:
        volume = _volume(Head().mr(volume.geometry), volume.geometry, ct=False)
    found = find(volume, "brain")
    # The cerebellum of the generated MR is dark and apart: it is lost.
    assert found.mask[np.isin(labels, BRAIN)].mean() > (0.95 if ct else 0.75)
    assert not (found.mask & (labels == SPINE)).sum() > 0.02 * found.mask.sum()  # the skull's value
    assert 900 < found.ml < 1900
    assert found.settings["as"] == ("CT" if ct else "MR")


def test_what_a_head_has_not_is_refused(head: Torso) -> None:
    for name in ("lungs", "bowel-gas"):
        with pytest.raises(InputError, match=f"no {name.replace('-', ' ')} in view"):
            find(head[0], name)
    assert find(head[0], "airways").ml > 20


def test_numbers_that_look_like_hu_are_taken_as_such_and_it_is_said(torso: Torso) -> None:
    volume, labels = torso
    stored = _volume(np.asarray(volume.levels[0]), volume.geometry, unit="stored")
    found = find(stored, "lungs")
    assert _dice(found.mask, labels == LUNGS) > 0.97
    assert "look like HU" in found.notes[-1]


def test_chunks_at_rest_are_read_by_slices(torso: Torso, found: dict[str, Found]) -> None:
    voxels = np.asarray(torso[0].levels[0])

    class Chunks:
        shape, dtype, ndim = voxels.shape, voxels.dtype, 3

        def __getitem__(self, key: object) -> npt.NDArray[np.int16]:
            assert isinstance(key, int) or (isinstance(key, slice) and key.step is None)
            return np.asarray(voxels[key])

    wide = Geometry.from_spacing(voxels.shape, torso[0].geometry.spacing_mm)
    volume = Volume((Chunks(),), wide, Source("generated", wide), "", "stored")
    mask = find(volume, "lungs").mask
    np.testing.assert_array_equal(mask, found["lungs"].mask)


def test_missing_numbers_count_as_air(torso: Torso, found: dict[str, Found]) -> None:
    voxels = np.asarray(torso[0].levels[0], np.float32)
    voxels[voxels < -950] = np.nan
    gone = find(_volume(voxels, torso[0].geometry), "body").mask
    assert _dice(gone, found["body"].mask) > 0.995


def _plain(shape: tuple[int, ...], value: float = 40.0, **more: object) -> Volume:
    grid = Geometry.from_spacing(shape[-3:], (3.0, 3.0, 3.0))
    return _volume(np.full(shape, value, np.float32), grid, **more)  # type: ignore[arg-type]


def _noise(unit: str = "HU", level: float = -950.0) -> Volume:
    grid = Geometry.from_spacing((30, 40, 40), (4.0, 4.0, 4.0))
    values = np.random.default_rng(0).normal(level, 30, grid.shape).astype(np.float32)
    return _volume(values, grid, ct=unit == "HU", unit=unit)


@pytest.mark.parametrize(
    ("volume", "what", "words"),
    [
        (_plain((30, 40, 40)), "body", "one value only"),
        (_plain((30, 40, 40), np.nan), "body", "one value only"),
        (_plain((30, 40, 40), np.nan, ct=False), "body", "no number"),
        (_plain((1, 40, 40)), "body", "a single slice"),
        (_plain((5, 4, 3)), "body", "too little to find"),
        (_plain((2, 30, 40, 40)), "body", "4 axes"),
        (_noise(), "lungs", "no body in view"),
        (_noise("stored", 900.0), "lungs", "not a CT in HU"),
        (_noise("stored", 900.0), "bone", "in MR bone is as dark as air"),
        (_noise("stored", 900.0), "table", "an MR shows no table"),
        (_noise(level=1100.0), "body", "not a CT in HU"),
        (_noise(level=0.0), "lungs", "nothing in the image is below -400 HU"),
        (_noise(), "liver", "not among the known parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_words(volume: Volume, what: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        find(volume, what)


def test_even_stuff_in_the_shape_of_a_head_is_no_brain() -> None:
    k, j, i = np.ogrid[:45, :60, :60]
    inside = ((k - 22) / 20) ** 2 + ((j - 30) / 25) ** 2 + ((i - 30) / 22) ** 2 < 1
    values = np.random.default_rng(0).normal(0, 3, inside.shape) + 500.0 * inside
    grid = Geometry.from_spacing(inside.shape, (3.0, 3.0, 3.0))
    with pytest.raises(InputError, match="brain not found"):
        find(_volume(values.astype(np.float32), grid, ct=False), "brain")


@pytest.mark.parametrize("what", ["lungs", "brain", "skin"])
def test_it_can_be_called_off(torso: Torso, head: Torso, what: str) -> None:
    volume = head[0] if what == "brain" else torso[0]
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1

    with pytest.raises(Cancelled):
        find(volume, what, cancelled=cancelled)


def test_progress_goes_up_to_the_end(torso: Torso) -> None:
    told: list[tuple[int, int]] = []
    find(torso[0], "body", progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (100, 100)


def test_the_public_function_gives_the_mask(torso: Torso, found: dict[str, Found]) -> None:
    mask = medlabel.automatic(torso[0], "lungs")
    np.testing.assert_array_equal(mask, found["lungs"].mask)


def test_every_part_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({part.id for part in PARTS}) == len({part.name for part in PARTS}) == len(PARTS)
    assert all(part.tip for part in PARTS)


@settings(max_examples=20)
@given(
    hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=9)),
    st.floats(0.5, 6.0), st.tuples(*[st.floats(0.6, 3.0)] * 3),
)  # fmt: skip
def test_a_grown_mask_is_all_that_is_near_it(
    mask: BoolArray, by_mm: float, spacing: tuple[float, float, float]
) -> None:
    near = grown(mask, by_mm, spacing)
    if mask.any():
        far = ndimage.distance_transform_edt(~mask, spacing)
        clear = np.abs(far - by_mm) > 1e-4  # rounding decides nothing
        np.testing.assert_array_equal(near[clear], (far <= by_mm)[clear])
    else:
        assert not near.any()
    np.testing.assert_array_equal(shrunk(mask, by_mm, spacing), ~grown(~mask, by_mm, spacing))
    assert not (opened(mask, by_mm, spacing) & ~mask).any()
    assert not (mask & ~closed(mask, by_mm, spacing)).any()


# Real ones. Their labels were made by a model: agreement, not truth.

MULTI = "ct-multiorgan"
BONES = [*range(25, 51), *range(69, 79), *range(91, 117)]


def _pair(folder: Path, image: str, labels: str) -> tuple[Volume, npt.NDArray[np.intp]]:
    truth = medlabel.read(folder / labels)
    return medlabel.read(folder / image), np.rint(truth.levels[0][:]).astype(np.intp)


@pytest.mark.parametrize(
    ("name", "least"), [("example_ct", 0.95), ("example_ct_sm", 0.96)]
)  # fmt: skip
def test_real_lung_bases_are_found(shared_data: Path, name: str, least: float) -> None:
    image, labels = _pair(shared_data / MULTI, f"{name}.nii.gz", f"{name}_labels.nii.gz")
    assert _dice(find(image, "lungs").mask, (labels >= 10) & (labels <= 14)) > least


def test_real_bones_are_found(shared_data: Path) -> None:
    image, labels = _pair(shared_data / MULTI, "example_ct.nii.gz", "example_ct_labels.nii.gz")
    assert _dice(find(image, "bone").mask, np.isin(labels, BONES)) > 0.88


def test_a_real_brain_is_found(shared_data: Path) -> None:
    image, labels = _pair(
        shared_data / "t1-brain-mask", "tcia_example_t1c.nii.gz",
        "bet_tcia_example_t1c_mask.nii.gz",
    )  # fmt: skip
    assert _dice(find(image, "brain").mask, labels > 0) > 0.95


def test_a_real_lung_that_the_image_cuts_off_is_the_right_one(shared_data: Path) -> None:
    image = medlabel.read(shared_data / "lesion-ct-lung" / "dicom")
    lung = find(image, "right-lung")
    assert 900 < lung.ml < 1300
    assert "at the sides" in lung.notes[0]
    with pytest.raises(InputError, match="no left lung"):
        find(image, "left-lung")
    bone = find(image, "bone").mask
    assert bone[:, :60, 150:].mean() < 0.01  # the heart, full of contrast
