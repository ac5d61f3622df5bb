"""What is opened for the table of proof, and what it is held against: paths below the real data."""

from dataclasses import dataclass
from typing import Final

__all__ = ["PLAN", "Case"]

_VENDORS, _ENHANCED, _PROBLEMS = (
    "dicom2nifti-vendors",
    "dicom2nifti-enhanced",
    "dicom2nifti-problems",
)
_CODECS: Final = {
    "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1": 0,
    "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2": 0,
    "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99": 0,
    "RLELosslessTransferSyntax_1.2.840.10008.1.2.5": 0,
    "JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50": 64.3,
    "JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51": 35.7,
    "JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53": 35.7,
    "JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55": 35.7,
    "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57": 0,
    "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70": 0,
    "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80": 0,
    "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81": 1,
    "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90": 0,
    "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91": 5,
}


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to open.

    Parameters
    ----------
    path
        Of what is opened.
    references
        Files that lie on its grid: with its values, or with labels of it.
    points
        Points of single frames with their values.
    quantity
        What its values are turned into before they are compared with the references.
    labels
        Whether the references hold labels: only where they lie is compared.
    off
        The largest difference of a value: what a lossy compression may have changed.
    empty
        How many volumes of the reference are empty, though the source's are not.
    padding
        A value of the reference that stands for no segment.
    """

    path: str
    references: tuple[str, ...] = ()
    points: str = ""
    quantity: str = ""
    labels: bool = False
    off: float = 0.0
    empty: int = 0
    padding: int | None = None


def _vendor(case: str, *, points: bool = True) -> Case:
    flat = case.replace("/", "_")
    told = f"{_VENDORS}/points_{flat}.json" if points else ""
    return Case(f"{_VENDORS}/{case}", (f"{_VENDORS}/expected/{flat}.nii.gz",), told)


def _problem(case: str, *references: str) -> Case:
    told = f"{_PROBLEMS}/points_failing_{case}_001.json"
    return Case(f"{_PROBLEMS}/failing/{case}/001", references, told)


def _enhanced(case: str, empty: int = 0) -> Case:
    flat = case.replace("/", "_")
    told = f"{_ENHANCED}/points_{flat}_001.json"
    reference = f"{_ENHANCED}/expected/{flat}_001.nii.gz"
    return Case(f"{_ENHANCED}/{case}/001", (reference,), told, empty=empty)


def _same(path: str, *references: str) -> Case:
    return Case(path, references, labels=True)


_PHILIPS = "enhanced-philips-siemens"
PLAN: Final[tuple[Case, ...]] = (
    Case("bits-stored-12/dicom/12bitUnsigned.dcm", ("bits-stored-12/expected/2.nii.gz",),
         "bits-stored-12/points_2.json"),
    Case("bits-stored-12/dicom/12bitUnsigned_0x0F0F.dcm", ("bits-stored-12/expected/3.nii.gz",),
         "bits-stored-12/points_3.json"),
    Case("bits-stored-12/dicom/12bitSigned_0x0F0F.dcm", ("bits-stored-12/expected/4.nii.gz",),
         "bits-stored-12/points_4.json"),
    Case("codecs-ct/dicom/CTImage.dcm", points="codecs-ct/points.json"),
    *(Case(f"codecs-ct/dicom/CTImage.dcm_{name}.dcm", ("codecs-ct/dicom/CTImage.dcm",), off=off)
      for name, off in _CODECS.items()),
    Case("ct-head-tilt-uneven/dicom.zip", points="ct-head-tilt-uneven/points.json"),
    Case("ct-multiorgan/dicom", ("ct-multiorgan/dicom_labels.nii.gz",),
         "ct-multiorgan/points.json", labels=True),
    _same("ct-multiorgan/example_ct.nii.gz", "ct-multiorgan/example_ct_labels.nii.gz"),
    _same("ct-multiorgan/example_ct_sm.nii.gz", "ct-multiorgan/example_ct_sm_labels.nii.gz"),
    Case("dicom-seg/ct", points="dicom-seg/points_ct.json"),
    Case("dicom-seg/seg/liver.dcm", ("dicom-seg/seg/liver_seg.nrrd",)),
    Case("dicom-seg/seg/partial_overlaps.dcm",
         tuple(f"dicom-seg/seg/partial_overlaps-{n}.nrrd" for n in (1, 2, 3))),
    Case("dicom-seg/seg/sparse-labelmap-noppv.dcm",
         ("dicom-seg/seg/sparse_labelmap_noppv_seg.nrrd",)),
    Case("dicom-seg/seg/sparse-labelmap-ppv5.dcm", ("dicom-seg/seg/sparse_labelmap_ppv5_seg.nrrd",),
         padding=5),
    Case("dicom-seg/24x38x3/seg", ("dicom-seg/24x38x3/nrrd/label.nrrd",)),
    Case("dicom-seg/23x38x3/seg", ("dicom-seg/23x38x3/nrrd/label.nrrd",)),
    _enhanced("philips_enhanced/anatomical"),
    _enhanced("philips_enhanced/dti", empty=3),
    _enhanced("siemens_multiframe/anatomical"),
    _problem("gantrytilting"),
    _problem("notavolume"),
    _problem("slicecount", f"{_PROBLEMS}/expected/failing_slicecount_001.nii.gz"),
    _problem("sliceincrement"),
    _problem("sliceorientation"),
    *(_vendor(case) for case in (
        "generic/anatomical/001", "generic/anatomical/002_non_isotropic", "ge/anatomical/001",
        "ge/anatomical/001_single_slice", "ge/dti/001", "ge/dti/002", "ge/fmri/001",
        "hitachi/anatomical/001", "hyperfine/anatomical/001", "philips/anatomical/001",
        "philips/dti/001", "philips/fmri/001",
    )),
    Case(f"{_VENDORS}/generic/rgb/001"),
    Case("enhanced-ct-mr/dicom/eCT_Supplemental.dcm",
         points="enhanced-ct-mr/points_eCT_Supplemental.json"),
    Case(f"{_PHILIPS}/philips-b0", (f"{_PHILIPS}/expected/Philips_WIP_B0_NS_801_e1.nii.gz",),
         f"{_PHILIPS}/points_philips-b0.json", quantity="Philips"),
    Case(f"{_PHILIPS}/philips-b0",
         (f"{_PHILIPS}/expected/Philips_WIP_B0_NS_801_e2_fieldmaphz.nii.gz",)),
    Case(f"{_PHILIPS}/siemens-xa10",
         (f"{_PHILIPS}/expected/Siemens_REST1_w_SMS_PF7-8_6.nii.gz",),
         f"{_PHILIPS}/points_siemens-xa10.json"),
    Case("lesion-ct-lung/dicom", ("lesion-ct-lung/expected/mask.nii.gz",),
         "lesion-ct-lung/points.json", labels=True),
    _same("lesion-mr-brain/brain1_image.nrrd", "lesion-mr-brain/brain1_label.nrrd"),
    _same("lesion-mr-brain/prostate_phantom_subvolume.nrrd",
          "lesion-mr-brain/prostate_phantom_subvolume-label.nrrd"),
    Case("multi-echo-philips/dicom",
         tuple(f"multi-echo-philips/expected/{name}.nii.gz"
               for name in ("e1", "e1_ph", "e2", "e2_ph")),
         "multi-echo-philips/points.json", quantity="Philips"),
    *(Case(f"multiframe-by-pacs/{name}", points=f"multiframe-by-pacs/points_{name}.json")
      for name in ("agfa", "siemens")),
    Case("nrrd-mha/FLAIR.nrrd", ("nrrd-mha/FLAIR.nii.gz",)),
    Case("ome-zarr-brain/mni152_axial.ome.zarr"),
    *(Case(f"siemens-mosaic/{name}", (f"siemens-mosaic/expected/{name}.nii.gz",),
           f"siemens-mosaic/points_{name}.json") for name in ("axasc36", "cordesc35", "sagint35")),
    _same("spinal-cord-mr/t1w.nii.gz", "spinal-cord-mr/t1w_seg-manual.nii.gz"),
    _same("spinal-cord-mr/t2.nii.gz", "spinal-cord-mr/t2_seg-manual.nii.gz",
          "spinal-cord-mr/t2_labeled_center_manual.nii.gz"),
    _same("spinal-cord-mr/t2_fake_lesion.nii.gz",
          "spinal-cord-mr/t2_fake_lesion_lesion_seg.nii.gz",
          "spinal-cord-mr/t2_fake_lesion_sc_seg.nii.gz"),
    _same("spinal-cord-mr/t2s_uncropped.nii.gz",
          "spinal-cord-mr/t2s_uncropped_gmseg_manual.nii.gz"),
    _same("t1-brain-mask/tcia_example_t1c.nii.gz",
          "t1-brain-mask/bet_tcia_example_t1c_mask.nii.gz"),
    *(Case(f"transfer-syntaxes-mr/dicom/{n}.dcm", ("transfer-syntaxes-mr/expected/1.nii.gz",),
           f"transfer-syntaxes-mr/points_{n}.json") for n in range(1, 10)),
)  # fmt: skip
