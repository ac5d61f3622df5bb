"""How bright each tissue of a generated head is: CT in Hounsfield units, MR by its weighting."""

from typing import Final, Literal

from napari_medlabel.phantom.canvas import Look, Tissue

__all__ = ["HU", "MR", "Weighting"]

Weighting = Literal["T1", "T2", "FLAIR"]

HU: Final = Look(
    {
        Tissue.AIR: -1000.0, Tissue.TABLE: -120.0, Tissue.FOAM: -962.0, Tissue.SKIN: 35.0,
        Tissue.FAT: -95.0, Tissue.MUSCLE: 58.0, Tissue.CARTILAGE: 110.0, Tissue.CORTICAL: 1450.0,
        Tissue.SPONGY: 420.0, Tissue.SKULL: 1480.0, Tissue.DIPLOE: 620.0, Tissue.TOOTH: 2350.0,
        Tissue.CHALK: 190.0, Tissue.DURA: 72.0, Tissue.FLUID: 7.0, Tissue.VENTRICLE: 6.0,
        Tissue.GRAY: 40.0, Tissue.WHITE: 29.0, Tissue.EDEMA: 17.0, Tissue.RIM: 88.0,
        Tissue.CORE: 20.0, Tissue.SCLERA: 55.0, Tissue.VITREOUS: 8.0, Tissue.LENS: 95.0,
        Tissue.BLOOD: 140.0, Tissue.NERVE: 29.0,
    },
    edge_mm=1.1,
)  # fmt: skip
_T1: Final = Look(
    {
        Tissue.AIR: 4.0, Tissue.TABLE: 4.0, Tissue.FOAM: 4.0, Tissue.SKIN: 380.0,
        Tissue.FAT: 980.0, Tissue.MUSCLE: 400.0, Tissue.CARTILAGE: 300.0, Tissue.CORTICAL: 60.0,
        Tissue.SPONGY: 560.0, Tissue.SKULL: 55.0, Tissue.DIPLOE: 420.0, Tissue.TOOTH: 30.0,
        Tissue.CHALK: 90.0, Tissue.DURA: 330.0, Tissue.FLUID: 130.0, Tissue.VENTRICLE: 125.0,
        Tissue.GRAY: 470.0, Tissue.WHITE: 700.0, Tissue.EDEMA: 400.0, Tissue.RIM: 960.0,
        Tissue.CORE: 230.0, Tissue.SCLERA: 420.0, Tissue.VITREOUS: 140.0, Tissue.LENS: 330.0,
        Tissue.BLOOD: 820.0, Tissue.NERVE: 700.0,
    },
    edge_mm=1.1,
)  # fmt: skip
# Fat is bright in fast spin echoes; vessels are dark, where blood flows out of the slice.
_T2: Final = Look(
    {
        Tissue.AIR: 4.0, Tissue.TABLE: 4.0, Tissue.FOAM: 4.0, Tissue.SKIN: 300.0,
        Tissue.FAT: 680.0, Tissue.MUSCLE: 190.0, Tissue.CARTILAGE: 350.0, Tissue.CORTICAL: 40.0,
        Tissue.SPONGY: 420.0, Tissue.SKULL: 40.0, Tissue.DIPLOE: 330.0, Tissue.TOOTH: 20.0,
        Tissue.CHALK: 60.0, Tissue.DURA: 120.0, Tissue.FLUID: 1100.0, Tissue.VENTRICLE: 1120.0,
        Tissue.GRAY: 520.0, Tissue.WHITE: 380.0, Tissue.EDEMA: 780.0, Tissue.RIM: 560.0,
        Tissue.CORE: 900.0, Tissue.SCLERA: 160.0, Tissue.VITREOUS: 1150.0, Tissue.LENS: 130.0,
        Tissue.BLOOD: 60.0, Tissue.NERVE: 400.0,
    },
    edge_mm=1.1,
)  # fmt: skip
_FLAIR: Final = Look(
    {
        Tissue.AIR: 4.0, Tissue.TABLE: 4.0, Tissue.FOAM: 4.0, Tissue.SKIN: 320.0,
        Tissue.FAT: 640.0, Tissue.MUSCLE: 250.0, Tissue.CARTILAGE: 300.0, Tissue.CORTICAL: 40.0,
        Tissue.SPONGY: 400.0, Tissue.SKULL: 40.0, Tissue.DIPLOE: 300.0, Tissue.TOOTH: 20.0,
        Tissue.CHALK: 60.0, Tissue.DURA: 200.0, Tissue.FLUID: 70.0, Tissue.VENTRICLE: 65.0,
        Tissue.GRAY: 560.0, Tissue.WHITE: 450.0, Tissue.EDEMA: 950.0, Tissue.RIM: 700.0,
        Tissue.CORE: 380.0, Tissue.SCLERA: 170.0, Tissue.VITREOUS: 110.0, Tissue.LENS: 120.0,
        Tissue.BLOOD: 80.0, Tissue.NERVE: 470.0,
    },
    edge_mm=1.1,
)  # fmt: skip
MR: Final[dict[Weighting, Look]] = {"T1": _T1, "T2": _T2, "FLAIR": _FLAIR}
