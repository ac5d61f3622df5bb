"""Generated patients: a head (CT and MR) and a torso, for the demo, tests and benchmarks."""

from napari_medlabel.phantom.dicom_files import Study, write_ct_series, write_mr_series
from napari_medlabel.phantom.head import CT_GRID, HEAD_SCHEMA, MR_GRID, Head

__all__ = [
    "CT_GRID",
    "HEAD_SCHEMA",
    "MR_GRID",
    "Head",
    "Study",
    "write_ct_series",
    "write_mr_series",
]
