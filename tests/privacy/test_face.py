"""Faces of generated heads: found, taken out, proved gone; and what is no head is left alone."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.errors import Cancelled, InputError, Refused
from napari_medlabel.phantom import Body, Head
from napari_medlabel.privacy.face import (
    FaceFinding,
    FacePlan,
    Region,
    face_region,
    fill_in,
    find_face,
    find_in,
    left_of,
    look,
    remove,
    residual,
)
from napari_medlabel.privacy.face_fit import TURNS, Pose, turned
from napari_medlabel.privacy.face_plan import Mode
from napari_medlabel.privacy.face_relief import likeness, relief
from napari_medlabel.privacy.face_template import LANDMARKS, brain_distance, skin_distance, template
from napari_medlabel.privacy.face_verdict import Match, Measures, decided

# Oblique by some degrees, anisotropic, rows towards the front: no axis is the patient's.
_TURN = turned(np.radians(np.array([6.0, -4.0, 8.0])))
_AXES = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [1.0, 0.0, 0.0]])
_MM = (3.5, 3.0, 3.0)
_SHAPE = (70, 82, 64)


def _grid() -> Geometry:
    matrix = np.eye(4)
    matrix[:3, :3] = _TURN @ _AXES * _MM
    matrix[:3, 3] = np.array((0.0, -10.0, -12.0)) - matrix[:3, :3] @ ((np.array(_SHAPE) - 1) / 2.0)
    return Geometry(_SHAPE, matrix)


@dataclass(frozen=True)
class Case:
    volume: Volume
    brain: np.ndarray
    face_points: np.ndarray
    finding: FaceFinding
    region: Region


def _volume(array: np.ndarray, grid: Geometry, modality: str) -> Volume:
    unit = "HU" if modality == "CT" else "stored"
    return Volume((array,), grid, Source("generated", grid), modality=modality, unit=unit)


def _case(modality: str) -> Case:
    head, grid = Head(3), _grid()
    array: np.ndarray = head.ct(grid)
    if modality == "MR":
        array = head.mr(grid).astype(np.float32)
        array[:2] = np.nan  # slices that were never measured
    volume = _volume(array, grid, modality)
    finding = find_face(volume)
    return Case(volume, head.brain(grid), head.face_points, finding, face_region(finding))


@pytest.fixture(scope="module")
def ct() -> Case:
    return _case("CT")


@pytest.fixture(scope="module")
def mr() -> Case:
    return _case("MR")


@pytest.fixture(params=["ct", "mr"])
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.getfixturevalue(request.param)
    return found


# A head with a face


def test_a_generated_head_has_a_face(case: Case) -> None:
    assert case.finding.verdict == "face"
    assert case.finding.face_points_matched > 0.6


def test_no_voxel_of_the_true_brain_is_taken_out(case: Case) -> None:
    assert not (case.region.mask & case.brain).any()
    away = ndimage.distance_transform_edt(~case.brain, sampling=_MM)
    assert away[case.region.mask].min() > 2.0
    assert case.region.brain_voxels == 0
    assert case.region.nearest_brain_mm >= 2.0


def test_the_skin_from_brow_to_chin_is_taken_out(case: Case) -> None:
    points = case.face_points[np.abs(case.face_points[:, 0]) < 30.0]
    index = np.rint(case.region.geometry.kji(points)).astype(int)
    inside = ((index >= 0) & (index < _SHAPE)).all(axis=1)
    k, j, i = index[inside].T
    assert case.region.mask[k, j, i].mean() >= 0.95


def test_a_wider_margin_takes_out_less_and_ears_take_out_more(ct: Case) -> None:
    wide = face_region(ct.finding, FacePlan(margin_mm=14.0))
    ears = face_region(ct.finding, FacePlan(ears=True))
    assert wide.voxels < ct.region.voxels < ears.voxels
    assert not (wide.mask & ~ct.region.mask).any()
    assert not (ears.mask & ct.brain).any()


def test_less_depth_takes_out_less_and_teeth_and_brow_take_out_more(mr: Case) -> None:
    shallow = face_region(mr.finding, FacePlan(depth_mm=40.0))
    more = [face_region(mr.finding, FacePlan(depth_mm=40.0, teeth=True)),
            face_region(mr.finding, FacePlan(depth_mm=40.0, brow=True))]  # fmt: skip
    assert not (shallow.mask & ~mr.region.mask).any()
    for region in more:
        assert not (shallow.mask & ~region.mask).any()
        assert region.voxels > shallow.voxels
        assert not (region.mask & mr.brain).any()
        assert region.nearest_brain_mm >= 2.0


def test_a_newborns_head_is_one_and_its_face_goes_down_to_the_neck(mr: Case) -> None:
    matrix = mr.volume.geometry.lps_from_kji.copy()
    matrix[:3, :3] *= 0.66
    grid = Geometry(_SHAPE, matrix)
    finding = find_in(mr.volume.levels[0], grid)
    assert finding.verdict == "face"
    region = face_region(finding)
    assert not (region.mask & mr.brain).any()
    # as much goes as of the adult's: what was fitted short does not leave a chin
    assert (mr.region.mask & ~region.mask).sum() < 0.2 * mr.region.voxels


def test_a_head_of_another_contrast_has_a_face_too() -> None:
    grid = _grid()
    array = Head(4).mr(grid, "FLAIR")
    finding = find_in(array, grid)
    assert finding.verdict == "face"
    assert not (face_region(finding).mask & Head(4).brain(grid)).any()


def test_what_a_person_adds_goes_unless_it_is_near_the_brain(ct: Case) -> None:
    added, spared = np.zeros(_SHAPE, bool), np.zeros(_SHAPE, bool)
    added[:, :, :20] = True
    spared[:, 40:, :10] = True
    spared |= ct.region.mask & (np.indices(_SHAPE)[0] % 7 == 0)
    brain = ct.finding.brain
    assert brain is not None
    region = face_region(ct.finding, added=added, spared=spared)
    assert not (region.mask & spared).any()
    assert region.mask[~spared & (ct.region.mask)].all()
    assert region.voxels == region.mask.sum()
    assert (region.brain_voxels, region.withheld_voxels > 0) == (0, True)
    assert region.nearest_brain_mm > 4.0  # measured on a grid of 2 mm
    assert region.added_voxels == (added & ~ct.region.mask).sum() - region.withheld_voxels
    assert not (region.mask & ct.brain).any()


def test_a_mask_of_another_image_is_refused(ct: Case) -> None:
    with pytest.raises(InputError, match="no mask of this image"):
        face_region(ct.finding, added=np.zeros((3, 3, 3), bool))


@pytest.mark.parametrize("mode", ["blank", "noise", "blur"])
def test_outside_the_region_every_voxel_stays(ct: Case, mode: Mode) -> None:
    case = ct
    before = np.array(case.volume.levels[0])
    after = remove(case.volume, case.finding, case.region, FacePlan(mode=mode, seed=2))
    assert after.dtype == before.dtype
    kept = ~case.region.mask
    np.testing.assert_array_equal(after[kept], before[kept])
    np.testing.assert_array_equal(np.asarray(case.volume.levels[0]), before)


def test_the_same_seed_gives_the_same_noise_and_another_another(mr: Case) -> None:
    one, same, other = (
        remove(mr.volume, mr.finding, mr.region, FacePlan(mode="noise", seed=seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other)[mr.region.mask].mean() > 0.2


def test_nothing_of_the_face_is_left_by_two_measures(case: Case) -> None:
    after = remove(case.volume, case.finding, case.region)
    left = left_of(case.finding, look(case.finding, case.volume.levels[0]), after)
    assert left is not None
    assert left.matched_before > 0.6
    assert left.matched_after <= 0.10
    assert left.relief_correlation <= 0.3
    assert left.moved >= 0.95
    assert left.is_gone


@pytest.mark.parametrize("mode", ["noise", "blur"])
def test_a_generic_front_lies_away_from_the_face_and_shows_none_of_it(mr: Case, mode: Mode) -> None:
    after = remove(mr.volume, mr.finding, mr.region, FacePlan(mode=mode))
    left = left_of(mr.finding, look(mr.finding, mr.volume.levels[0]), after)
    assert left is not None
    assert left.matched_after <= 0.10
    assert left.relief_correlation <= 0.35  # 0.3 on average over heads: see docs/defacing.md
    assert left.moved >= 0.95


def test_a_face_that_was_not_taken_out_is_seen_by_both_measures(mr: Case) -> None:
    before = look(mr.finding, mr.volume.levels[0])
    left = left_of(mr.finding, before, mr.volume.levels[0])
    assert left is not None
    assert not left.is_gone
    assert left.relief_correlation > 0.99
    assert residual(mr.volume, mr.finding.pose) > 0.62


@pytest.mark.parametrize("mode", ["blank", "noise"])
def test_what_we_have_written_is_already_defaced(ct: Case, mode: Mode) -> None:
    after = remove(ct.volume, ct.finding, ct.region, FacePlan(mode=mode))
    assert find_in(after, ct.volume.geometry, "HU").verdict == "already-defaced"


def test_a_blurred_face_is_the_generic_one_whoever_it_was(mr: Case) -> None:
    """Two faces with one cranium come out alike: nothing of their surface is blurred in."""
    other = np.array(mr.volume.levels[0])
    rim = mr.region.mask & (np.indices(_SHAPE)[1] > 70)
    other[rim] = 0
    outs = []
    for array in (np.array(mr.volume.levels[0]), other):
        fill_in(array, mr.finding, mr.region, FacePlan(mode="blur"))
        outs.append(array[mr.region.mask] > mr.finding.limit)
    assert (outs[0] != outs[1]).mean() < 0.01


# No face


def test_a_torso_is_not_a_head() -> None:
    grid = Geometry.from_spacing((48, 80, 100), (5.0, 4.5, 4.5), (-223.0, -180.0, -120.0))
    finding = find_in(Body(0).ct(grid), grid, "HU")
    assert finding.verdict == "not-a-head"
    with pytest.raises(Refused, match="no head"):
        face_region(finding)


def test_a_brain_without_a_skin_has_nothing_to_take_out(mr: Case) -> None:
    bare = np.where(mr.brain, np.asarray(mr.volume.levels[0]), 0)
    assert find_in(bare, mr.volume.geometry).verdict in {
        "not-a-head", "already-defaced", "uncertain",
    }  # fmt: skip


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_an_image_of_one_value_is_not_a_head(value: float) -> None:
    array = np.full((20, 30, 30), value, np.float32)
    finding = find_in(array, Geometry.from_spacing(array.shape, (5.0, 5.0, 5.0)))
    assert finding.verdict == "not-a-head"


def test_one_slice_is_no_head_to_be_sure_of(mr: Case) -> None:
    array = np.asarray(mr.volume.levels[0])[:1]
    grid = Geometry(array.shape, mr.volume.geometry.lps_from_kji)
    assert find_in(array, grid).verdict in {"not-a-head", "uncertain", "face-not-in-view"}


def test_a_header_that_turns_the_head_round_is_not_believed(ct: Case) -> None:
    array = np.asarray(ct.volume.levels[0])[:, ::-1]
    finding = find_in(np.ascontiguousarray(array), ct.volume.geometry, "HU")
    assert finding.verdict in {"wrong-orientation", "uncertain"}


def test_values_that_are_not_finite_stay_as_they_are(mr: Case) -> None:
    before = np.asarray(mr.volume.levels[0])
    assert np.isnan(before).any()
    after = remove(mr.volume, mr.finding, mr.region)
    kept = ~mr.region.mask
    assert after[kept].tobytes() == before[kept].tobytes()


def test_a_search_can_be_called_off(mr: Case) -> None:
    with pytest.raises(Cancelled):
        find_face(mr.volume, cancelled=lambda: True)


def test_without_a_brain_to_guard_nothing_is_taken_out(ct: Case) -> None:
    assert ct.finding.brain is not None
    empty = replace(ct.finding.brain, volume_ml=12.0)
    with pytest.raises(Refused, match="nothing would guard it"):
        face_region(replace(ct.finding, brain=empty))


@pytest.mark.parametrize(
    ("name", "value"),
    [("margin_mm", -1.0), ("margin_mm", 31.0), ("margin_mm", float("nan")), ("depth_mm", 20.0),
     ("seed", -1), ("mode", "smear")],
)  # fmt: skip
def test_a_plan_that_nobody_could_follow_is_refused(name: str, value: object) -> None:
    with pytest.raises(InputError, match=name.removesuffix("_mm")):
        FacePlan(**{name: value})  # type: ignore[arg-type]


# The parts


def test_the_landmarks_lie_on_the_templates_skin() -> None:
    for name, (x, y, z) in LANDMARKS.items():
        place = (np.array([v], np.float32) for v in (x, y, z))
        assert abs(float(skin_distance(*place)[0])) < 3.5, name


def test_the_templates_brain_is_a_brain_well_inside_its_skin() -> None:
    z, y, x = np.ix_(*(np.arange(a, b, 3.0, dtype=np.float32) for a, b in
                       ((-60, 135), (-100, 105), (-80, 81))))  # fmt: skip
    brain = brain_distance(x, y, z) < 0.0
    assert 1200.0 < brain.sum() * 27 / 1000.0 < 1500.0
    assert skin_distance(x, y, z)[brain].max() < -4.0


def test_the_template_has_points_on_cranium_face_and_sides() -> None:
    head = template()
    np.testing.assert_allclose(np.linalg.norm(head.normals, axis=1), 1.0, atol=1e-6)
    assert not (head.vault & head.face).any()
    assert min(head.vault.sum(), head.face.sum(), head.side.sum()) > 150


@given(
    vector=st.tuples(*[st.floats(-3.0, 3.0)] * 3), place=st.tuples(*[st.floats(-200.0, 200.0)] * 3),
    size=st.tuples(*[st.floats(0.6, 1.3)] * 3), length=st.floats(0.7, 1.2),
    point=st.tuples(*[st.floats(-150.0, 150.0)] * 3),
)  # fmt: skip
def test_a_pose_and_back_is_where_one_was(
    vector: tuple, place: tuple, size: tuple, length: float, point: tuple
) -> None:
    pose = Pose(turned(np.array(vector)), np.array(place), np.array(size), length)
    there = pose.lps(np.array([point]))
    np.testing.assert_allclose(pose.template(there)[0], point, atol=1e-6)


def test_the_24_turns_are_rotations_and_the_first_is_none() -> None:
    assert len({turn.tobytes() for turn in TURNS}) == 24
    np.testing.assert_array_equal(TURNS[0], np.eye(3))
    assert all(np.isclose(np.linalg.det(turn), 1.0) for turn in TURNS)


def test_a_ball_has_no_face_in_its_relief() -> None:
    grid = Geometry.from_spacing((100, 100, 100), (2.0, 2.0, 2.0))
    k, j, i = np.ogrid[:100, :100, :100]
    ball = (k - 50) ** 2 + (j - 50) ** 2 + (i - 50) ** 2 < 42**2
    assert likeness(relief(ball, grid)) < 0.5


# The decision

_GOOD = Match(1.0, 0.95, 1.5, 0.0)
_FACE = Match(0.9, 0.8, 2.5, 0.0)
_GONE = Match(0.9, 0.03, 20.0, 0.95)
_NONE = Match(0.0, 0.0, 30.0, 0.0)
_HEAD = Measures(
    cost=2.0, error=0.28, turned_deg=5.0, vault=_GOOD, side=Match(0.9, 0.9, 2.0, 0.0), face=_FACE,
    vault_alone=_GOOD, face_alone=_FACE, scalp=0.95,
)  # fmt: skip


@pytest.mark.parametrize(
    ("measures", "verdict"),
    [
        (_HEAD, "face"),
        (replace(_HEAD, face=_GONE, face_alone=_GONE), "already-defaced"),
        (replace(_HEAD, generic=True), "already-defaced"),
        (replace(_HEAD, face=_GONE, face_alone=_GONE, dim=True), "uncertain"),
        (replace(_HEAD, face=_GONE, face_alone=_GONE, likeness=0.7), "uncertain"),
        (
            replace(_HEAD, face=_GONE, face_alone=_GONE, otherwise=2.6, otherwise_hollow=0.2),
            "wrong-orientation",
        ),
        (replace(_HEAD, face=_GONE, face_alone=_GONE, otherwise=2.35), "uncertain"),
        (replace(_HEAD, otherwise=2.9), "uncertain"),
        (replace(_HEAD, face=_NONE, face_alone=_NONE), "face-not-in-view"),
        (replace(_HEAD, face=_GONE, face_alone=_GONE, scalp=0.1), "not-a-head"),
        (replace(_HEAD, vault=_NONE, vault_alone=_NONE), "uncertain"),
        (replace(_HEAD, vault=_NONE, vault_alone=_NONE, face=_GONE), "not-a-head"),
        (replace(_HEAD, vault=_NONE, vault_alone=_NONE, face=_GONE, likeness=0.8), "uncertain"),
        (replace(_HEAD, face=replace(_FACE, matched=0.4)), "uncertain"),
    ],
)
def test_what_is_not_clear_is_uncertain(measures: Measures, verdict: str) -> None:
    assert decided(measures)[0] == verdict
