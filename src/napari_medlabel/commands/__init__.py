"""Everything a person can do: one short function each, with the permission it needs.

The window and the command line import these, `session` and `core`, and nothing below.
"""

from napari_medlabel.commands.annotations import (
    add_annotation,
    annotations,
    change_annotation,
    export_annotations,
    import_annotations,
    remove_annotation,
)
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
from napari_medlabel.commands.comparing import CaseComparison, compare_case
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
from napari_medlabel.commands.image_tools import (
    carry_slice,
    fill_region,
    grow_from_seeds,
    grow_region,
    otsu_threshold,
    paint_to_edge,
    threshold,
)
from napari_medlabel.commands.labels import (
    delete_label,
    import_mask,
    lock_label,
    paint,
    redo,
    segments_of_mask,
    set_group,
    set_label,
    undo,
)
from napari_medlabel.commands.mask_import import (
    MaskContent,
    MaskSegment,
    import_segments,
    mask_content,
)
from napari_medlabel.commands.mask_import import (
    MaskContent,
    MaskSegment,
    import_segments,
    mask_content,
)
from napari_medlabel.commands.measuring import (
    case_statistics,
    mask_statistics,
    write_statistics,
)
from napari_medlabel.commands.merging import merge_segments
from napari_medlabel.commands.overlays import OverlayVolume, read_overlay
from napari_medlabel.commands.quantities import in_quantity
from napari_medlabel.commands.merging import merge_segments
from napari_medlabel.commands.rehearsing import Rehearsed, accept, rehearse
from napari_medlabel.commands.saving import diff, restore, save_version, versions
from napari_medlabel.commands.schemas import (
    SchemaTemplate,
    add_instance,
    case_protocol,
    load_schema,
    save_schema,
    templates,
)
from napari_medlabel.commands.tools import (
    combine_segments,
    copy_slice,
    fill_holes,
    grow_margin,
    hollow,
    interpolate_slices,
    keep_largest_islands,
    mirror_segment,
    relabel_segments,
    remove_small_islands,
    shrink_margin,
    smooth_gaussian,
    smooth_jointly,
    smooth_median,
    split_islands,
)

__all__ = [
    "CaseComparison",
    "Converted",
    "MaskContent",
    "MaskSegment",
    "MaskContent",
    "MaskSegment",
    "Offer",
    "OverlayVolume",
    "Rehearsed",
    "SchemaTemplate",
    "abandon_case",
    "accept",
    "add_annotation",
    "add_instance",
    "annotations",
    "carry_slice",
    "case_document",
    "case_protocol",
    "case_statistics",
    "change_annotation",
    "close_case",
    "combine_segments",
    "compare",
    "compare_case",
    "convert",
    "convert_all",
    "copy_slice",
    "delete_label",
    "demo",
    "diff",
    "discard_case",
    "doctor",
    "export_annotations",
    "export_case",
    "fill_holes",
    "fill_region",
    "grow_from_seeds",
    "grow_margin",
    "grow_region",
    "hollow",
    "import_annotations",
    "import_mask",
    "import_segments",
    "import_segments",
    "import_series",
    "in_quantity",
    "interpolate_slices",
    "keep_largest_islands",
    "load_schema",
    "lock_label",
    "mask_content",
    "mask_statistics",
    "merge_segments",
    "mirror_segment",
    "offer",
    "offers",
    "open_case",
    "open_demo",
    "open_reader_as_case",
    "open_series",
    "otsu_threshold",
    "paint",
    "paint_to_edge",
    "read_overlay",
    "recent_cases",
    "redo",
    "rehearse",
    "relabel_segments",
    "remove_annotation",
    "remove_small_islands",
    "restore",
    "save_schema",
    "save_version",
    "scan",
    "segments_of_mask",
    "set_group",
    "set_label",
    "shrink_margin",
    "smooth_gaussian",
    "smooth_jointly",
    "smooth_median",
    "split_islands",
    "stats",
    "templates",
    "threshold",
    "thumbnail",
    "undo",
    "versions",
    "write_statistics",
]
