"""Everything a person can do: one short function each, with the permission it needs.

The window and the command line import these, `session` and `core`, and nothing below.
"""

from napari_medlabel.commands.cases import (
    abandon_case,
    case_document,
    close_case,
    discard_case,
    import_series,
    open_case,
    open_reader_as_case,
    open_series,
    recent_cases,
)
from napari_medlabel.commands.choices import Offer, offer, offers
from napari_medlabel.commands.demo import demo, open_demo
from napari_medlabel.commands.doctor import doctor
from napari_medlabel.commands.exporting import export_case
from napari_medlabel.commands.files import (
    Converted,
    compare,
    convert,
    convert_all,
    scan,
    stats,
    thumbnail,
)
from napari_medlabel.commands.labels import (
    delete_label,
    import_mask,
    lock_label,
    paint,
    redo,
    segments_of_mask,
    set_label,
    undo,
)
from napari_medlabel.commands.saving import diff, restore, save_version, versions

__all__ = [
    "Converted",
    "Offer",
    "abandon_case",
    "case_document",
    "close_case",
    "compare",
    "convert",
    "convert_all",
    "delete_label",
    "demo",
    "diff",
    "discard_case",
    "doctor",
    "export_case",
    "import_mask",
    "import_series",
    "lock_label",
    "offer",
    "offers",
    "open_case",
    "open_demo",
    "open_reader_as_case",
    "open_series",
    "paint",
    "recent_cases",
    "redo",
    "restore",
    "save_version",
    "scan",
    "segments_of_mask",
    "set_label",
    "stats",
    "thumbnail",
    "undo",
    "versions",
]
