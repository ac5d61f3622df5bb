"""What a scan found, and digests that can be streamed."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import (
    FoundVolume,
    Series,
    Source,
    Volume,
    Window,
    slice_sha256,
    volume_sha256,
)

GEOMETRY = Geometry.from_spacing((3, 4, 5), (3.0, 0.7, 0.8))
TILT = Problem("gantry-tilt", "tilted by 18.5 degrees", "resample it", blocking=True)
NOTE = Problem("single-slice", "there is one slice")


def series(*volumes: FoundVolume) -> Series:
    return Series(1, "1.2.3", "dicom", "CT", "image", volumes, files=28, description="HEAD")


def test_a_series_is_regular_where_each_volume_is_one_grid() -> None:
    good = FoundVolume("", GEOMETRY, (NOTE,))
    assert series(good).regular
    assert not series(good, FoundVolume("", GEOMETRY, (TILT,))).regular
    assert not series(FoundVolume("", None)).regular
    assert not series().regular


def test_a_series_has_a_grid_where_all_volumes_share_it() -> None:
    one, other = FoundVolume("", GEOMETRY), FoundVolume("", Geometry.from_spacing((3, 4, 6)))
    assert series(one, one).geometry is GEOMETRY
    assert series(one, other).geometry is None
    assert series().geometry is None


def test_the_document_of_a_series_is_json_without_its_description() -> None:
    found = series(FoundVolume("a", GEOMETRY, (NOTE,)), FoundVolume("b", GEOMETRY, (NOTE, TILT)))
    document = json.loads(json.dumps(found.document()))
    assert document["shape"] == [3, 4, 5]
    assert document["spacing_mm"] == [3.0, 0.7, 0.8]
    assert document["volumes"] == 2
    assert document["problems"] == [NOTE.document(), TILT.document()]
    assert "HEAD" not in json.dumps(document)


def test_a_series_without_one_grid_has_no_shape() -> None:
    document = series(FoundVolume("", None, (TILT,))).document()
    assert document["shape"] is document["spacing_mm"] is document["lps_from_kji"] is None
    assert document["regular"] is False


def test_a_window_shows_what_lies_half_its_width_around_its_level() -> None:
    assert Window(400.0, 40.0).limits == (-160.0, 240.0)


def test_a_volume_has_the_shape_of_its_geometry() -> None:
    volume = Volume((np.zeros(GEOMETRY.shape),), GEOMETRY, Source("generated", GEOMETRY))
    assert volume.shape == (3, 4, 5)
    assert replace(volume, unit="HU").unit == "HU"


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "<f4"])
def test_a_digest_is_of_the_values_whatever_their_order_in_memory(dtype: str) -> None:
    plane = np.arange(12).reshape(3, 4).astype(dtype)
    plain = plane.astype(plane.dtype.newbyteorder("<")).tobytes()
    expected = hashlib.sha256(plain).digest()
    assert slice_sha256(plane) == expected
    assert slice_sha256(np.asfortranarray(plane)) == expected
    assert slice_sha256(plane[::-1]) != expected


def test_the_digest_of_a_volume_joins_those_of_its_slices_in_order() -> None:
    digests = [slice_sha256(np.full((2, 2), k, np.int16)) for k in range(3)]
    assert volume_sha256(digests) == hashlib.sha256(b"".join(digests)).hexdigest()
    assert volume_sha256(reversed(digests)) != volume_sha256(digests)
