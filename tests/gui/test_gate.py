"""The privacy gate in the window: what is missing is said where somebody wants to go on."""

from pathlib import Path

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from napari_medlabel import commands
from napari_medlabel.commands import CasePrivacy, PartState, PrivacyPolicy
from napari_medlabel.core.case_privacy import missing_parts
from napari_medlabel.ui.gate_state import gate_state
from tests.gui.real_window import Window

WHEN = "2026-11-21T10:00:00.000Z"
EXPORT = PrivacyPolicy(export=frozenset({"headers", "face"}))


def said(part: str, state: str) -> PartState:
    return PartState(part, state, "looked at", "mk", WHEN)


def words_in(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel))


def turn_to(window: Window, words: str) -> None:
    tabs = window.panel.findChildren(QPushButton)
    window.click(next(one for one in tabs if one.text() == words and one.isCheckable()))


@pytest.mark.parametrize(
    ("history", "policy", "chip", "held", "kinds"),
    [
        ((), PrivacyPolicy(), "Not cleared", False, ["open", "open", "open"]),
        ((), EXPORT, "Held back", True, ["missing", "open", "missing"]),
        ((said("headers", "done"), said("face", "overridden")), EXPORT, "May leave", False,
         ["ok", "open", "through"]),
        ((said("headers", "done"), said("burned-in", "not-needed"), said("face", "done")), EXPORT,
         "Cleared", False, ["ok", "ok", "ok"]),
    ],
)  # fmt: skip
def test_the_gate_says_what_is_cleared_and_what_is_missing(
    history: tuple[PartState, ...], policy: PrivacyPolicy, chip: str, held: bool,  # noqa: FBT001
    kinds: list[str],
) -> None:  # fmt: skip
    privacy = CasePrivacy(history)
    missing = missing_parts(privacy, policy, ("export",))
    shown = gate_state(privacy, missing, rules=bool(policy.export))
    assert (shown.chip, shown.held_back) == (chip, held)
    assert [line.kind for line in shown.lines] == kinds
    assert all(line.words for line in shown.lines)


def test_a_case_that_is_held_back_is_drawn_on_and_exported_once_it_is_cleared(
    window: Window, study: Path, tmp_path: Path
) -> None:
    everything = frozenset({"face"})
    commands.set_privacy_policy(window.session, PrivacyPolicy(everything, export=everything))
    window.open_study(study)
    card = window.panel.annotate.card
    assert "Not cleared" in words_in(card)
    assert "Face: nobody has looked" in words_in(card)
    tab = window.panel.export
    turn_to(window, "Export")
    tab.set_folder(tmp_path / "out")
    assert "Held back" in words_in(tab.gate)
    assert not tab.run.isEnabled()
    window.click(tab.clear_it)
    assert window.panel.deface.isVisible()
    case = window.drawing.case
    commands.mark_privacy(window.session, case, "face", "not-needed", why="a body without a head")
    turn_to(window, "Annotate")
    assert case.segmentation.read_only == ""
    window.click(window.panel.annotate.add)
    window.press("P")
    k, j, i = (n // 2 for n in case.volume.shape)
    window.stroke((k, j, i - 5), (k, j, i + 5))
    assert case.segmentation.voxels(1) > 0
    turn_to(window, "Export")
    assert "May leave" in words_in(tab.gate)
    assert not tab.clear_it.isVisible()
    window.click(tab.run)
    window.idle()
    assert window.desk.error is None
    assert list((tmp_path / "out").glob("*.nii.gz"))


def test_a_case_is_let_through_with_a_reason_where_the_rules_allow_it(
    window: Window, study: Path, tmp_path: Path
) -> None:
    commands.set_privacy_policy(window.session, EXPORT)
    window.open_study(study)
    tab = window.panel.export
    turn_to(window, "Export")
    tab.set_folder(tmp_path / "out")
    assert tab.reason.isVisible()
    assert not tab.let_through.isEnabled()
    tab.reason.setFocus()
    QTest.keyClicks(tab.reason, "agreed with the board")
    window.click(tab.let_through)
    assert "Face: let through by" in words_in(tab.gate)
    assert not tab.reason.isVisible()
    assert tab.run.isEnabled()
    face = commands.case_privacy(window.session, window.drawing.case).face
    assert (face.state, face.why) == ("overridden", "agreed with the board")
    rules = PrivacyPolicy(export=frozenset({"face"}), override=False)
    commands.set_privacy_policy(window.session, rules)
    turn_to(window, "Annotate")
    turn_to(window, "Export")
    assert not tab.run.isEnabled()
    assert not tab.reason.isVisible()
