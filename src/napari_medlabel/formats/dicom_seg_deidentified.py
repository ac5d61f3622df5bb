"""What a DICOM segmentation says of the de-identification of the images it was made on."""

from typing import Final

from pydicom.dataset import Dataset

from napari_medlabel.core.case_privacy import CasePrivacy
from napari_medlabel.core.provenance import Provenance

__all__ = ["method_of", "say_deidentified"]

_SAYS: Final = (
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "LongitudinalTemporalInformationModified",
)  # fmt: skip
_LONGEST: Final = 64  # characters of a value of DeidentificationMethod (LO)


def say_deidentified(dataset: Dataset, provenance: Provenance, header: Dataset | None) -> None:
    """Say in a segmentation what is known: PatientIdentityRemoved and its method, or nothing.

    With a header, whose patient and study the segmentation has, what that says of itself. Without
    one the patient is a pseudonym, and study and instances are named by the image's UIDs: that
    the identity was removed is only said where a certificate proves it of the image's headers.

    Parameters
    ----------
    dataset
        The segmentation.
    provenance
        Of the mask.
    header
        Of an instance of the image, where patient and study are copied from it.
    """
    if header is not None:
        for keyword in _SAYS:
            if keyword in header:
                dataset[keyword] = header[keyword]
        return
    method = method_of(provenance)
    if method:
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = method


def method_of(provenance: Provenance) -> list[str]:
    """How the image's headers were de-identified, where a certificate proves it: else nothing."""
    headers = CasePrivacy(provenance.deidentification).headers
    sha256 = str(headers.proof.get("certificate_sha256", ""))
    if headers.state != "done" or not sha256:
        return []
    profile = str(headers.proof.get("profile", "")).replace("\\", "/")
    # The hash first: what pads an odd length stands behind the last value, and it has no room.
    return [sha256[:_LONGEST], f"napari-medlabel, profile {profile}"[: _LONGEST - 1].rstrip()]
