"""Generated patients: a head (CT and MR) and a torso, for the demo, tests and benchmarks."""

from napari_medlabel.phantom.body import BODY_GRID, BODY_SCHEMA, Body
from napari_medlabel.phantom.dicom_files import Study, write_ct_series, write_mr_series
from napari_medlabel.phantom.head import CT_GRID, HEAD_SCHEMA, MR_GRID, Head

__all__ = [
    "BODY_GRID",
    "BODY_SCHEMA",
    "CT_GRID",
    "HEAD_SCHEMA",
    "MR_GRID",
    "Body",
    "Head",
    "Study",
    "write_ct_series",
    "write_mr_series",
]
