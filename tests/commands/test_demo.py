import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.cli import main
from napari_medlabel.errors import OutputError
from napari_medlabel.phantom import CT_GRID, Head
from napari_medlabel.session import Session


def test_the_demo_does_the_whole_job_and_verifies_it(
    session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert main(["demo", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert all(check["ok"] for check in document["checks"])
    truth, schema = Head().labels(CT_GRID)
    mask = nib.load(out / "masks" / "head-ct.nii.gz")
    np.testing.assert_array_equal(np.asarray(mask.dataobj).T, truth)
    np.testing.assert_allclose(mask.affine, CT_GRID.to_nifti(), atol=1e-4)
    labels = json.loads((out / "masks" / "head-ct.labels.json").read_text())["labels"]
    assert [one["name"] for one in labels] == [label.name for label in schema]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "DEMO" not in page
    with pytest.raises(OutputError, match="not empty"):
        commands.demo(session, out)
    assert not session.folder.exists()  # the demo has a workspace of its own
