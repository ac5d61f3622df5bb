from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.session import Session, local_session


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEDLABEL_WORKSPACE", str(tmp_path / "workspace"))
    opened = local_session()
    yield opened
    opened.close()
