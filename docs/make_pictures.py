"""Draw docs/images: the real window on generated patients, tool by tool.

xvfb-run -a -s "-screen 0 1600x1000x24" python -m docs.make_pictures [NAME ...]
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from docs import scenes_assist, scenes_deface, scenes_looking, scenes_measuring, scenes_tools
from docs.studio import Patient, Studio

FOLDER = Path(__file__).parent / "images"
SCENES = {
    **scenes_tools.SCENES, **scenes_assist.SCENES, **scenes_looking.SCENES,
    **scenes_measuring.SCENES, **scenes_deface.SCENES,
}  # fmt: skip


def main() -> None:
    """Draw those that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of: " + ", ".join(SCENES))
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--patient", choices=("body", "head"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    names = given.names or list(SCENES)
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.patient:
        draw(given.patient, names, given.folder)
        return
    with TemporaryDirectory(prefix="medlabel-pictures-") as own:
        os.environ |= {
            "MEDLABEL_KEYRING": "off",
            "LOGNAME": "reader",
            "NAPARI_CONFIG": str(Path(own) / "settings.yaml"),  # nobody's theme or font
        }
        for patient in ("body", "head"):  # each in a program of its own, as people open the window
            its = [name for name in names if SCENES[name][0] == patient]
            if its:
                again = [sys.executable, "-m", "docs.make_pictures", "--patient", patient]
                again += ["--folder", str(given.folder), *its]
                subprocess.run(again, check=True)  # noqa: S603  # this program


def draw(patient: Patient, names: list[str], folder: Path) -> None:
    """Draw the pictures of one patient in one window."""
    studio = Studio(patient, folder)
    for name in names:
        studio.clean()
        SCENES[name][1](studio, name)
    studio.close()


if __name__ == "__main__":
    main()
