"""What a segment is, for machines: a coded term, found among those of the templates or typed."""

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from napari_medlabel.core.schema import Code, LabelSchema
from napari_medlabel.ui.action_search import Entry
from napari_medlabel.ui.entry_rows import ENTRY, EntryRows
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.tool_window import ToolWindow
from napari_medlabel.ui.widgets import button, column, line, row, text

__all__ = ["CodeDialog", "Term", "found_terms", "terms_of"]

SCHEMES = "SCT is SNOMED CT, DCM is DICOM, FMA the Foundational Model of Anatomy."
_CODE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Term:
    """A code, and where it was met."""

    code: Code
    where: str


def terms_of(schemas: Sequence[LabelSchema]) -> tuple[Term, ...]:
    """The codes of all labels, each once, in the order of their meanings."""
    found: dict[tuple[str, str], Term] = {}
    for schema in schemas:
        for label in schema:
            if label.code is not None:
                key = (label.code.scheme, label.code.value)
                found.setdefault(key, Term(label.code, schema.name))
    return tuple(sorted(found.values(), key=lambda term: term.code.meaning.casefold()))


def found_terms(terms: Sequence[Term], search: str) -> tuple[Term, ...]:
    """Those with all the words in meaning, value or scheme."""
    words = search.casefold().split()

    def text_of(term: Term) -> str:
        return f"{term.code.meaning} {term.code.value} {term.code.scheme}".casefold()

    return tuple(term for term in terms if all(word in text_of(term) for word in words))


class CodeDialog(ToolWindow):
    """Asks for the code of a segment; `code_set` has its label value and the `Code`, or None."""

    code_set = Signal(int, object)

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame, "Code", (440, 520))
        self._value = 0
        self._terms: tuple[Term, ...] = ()
        self._title = text(role="title")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a term: liver, 10200004")
        self.search.setAccessibleName("Find a term")
        self.search.textEdited.connect(self._fill)
        self.list = QListWidget()
        self._rows = EntryRows(self.list)
        self.list.setItemDelegate(self._rows)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("Terms")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(self._take)
        self.list.itemActivated.connect(self._take)
        self.value, self.scheme, self.meaning = (
            self._field(name) for name in ("Code value", "Scheme", "Meaning")
        )
        self.keep = button("Set code", self._keep, kind="primary")
        self.remove = button("Remove code", self._remove, kind="link")
        self._lay_out()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._rows.tokens = tokens
        super().set_style(sheet, tokens)

    def ask(self, value: int, name: str, code: Code | None, terms: Sequence[Term]) -> None:
        """Ask for the code of a segment: its label value, its name, its code so far."""
        self._value, self._terms = value, tuple(terms)
        self._title.setText(f"Code of {name}")
        self.setWindowTitle(f"Code of {name}")
        self.search.setText("" if code else name)
        self._show(code)
        self.remove.setEnabled(code is not None)
        if not found_terms(self._terms, self.search.text()):
            self.search.clear()
        self._fill()
        self.open_up()
        self.search.setFocus()
        self.search.selectAll()

    # How

    def _lay_out(self) -> None:
        fields = row(
            column(text("Code value", tone="3"), self.value, gap=2),
            column(text("Scheme", tone="3"), self.scheme, gap=2), gap=8,
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(8)
        for part in (self._title, self.search):
            layout.addWidget(part)
        layout.addWidget(self.list, 1)
        for part in (
            line(), fields, column(text("Meaning", tone="3"), self.meaning, gap=2),
            text(SCHEMES, tone="3", wrap=True),
            row(self.keep, button("Cancel", self.close), None, self.remove),
        ):  # fmt: skip
            layout.addWidget(part)
        self.scheme.setMaximumWidth(110)

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setMaxLength(64 if name == "Meaning" else 16)  # PS3.5 6.2, LO and SH
        field.textChanged.connect(self._check)
        field.returnPressed.connect(self._keep)
        return field

    def _fill(self, _words: str = "") -> None:
        self.list.clear()
        for term in found_terms(self._terms, self.search.text()):
            code = term.code
            item = QListWidgetItem(self.list)
            item.setData(ENTRY, Entry(
                "", code.meaning, term.where, note=f"{code.scheme} {code.value}"
            ))  # fmt: skip
            item.setData(_CODE, code)
            said = f"{code.meaning}, {code.scheme} {code.value}"
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)

    def _take(self, item: QListWidgetItem) -> None:
        self._show(item.data(_CODE))

    def _show(self, code: Code | None) -> None:
        shown = code or Code("", "SCT", "")
        self.value.setText(shown.value)
        self.scheme.setText(shown.scheme)
        self.meaning.setText(shown.meaning)

    def _typed(self) -> Code:
        fields = (self.value, self.scheme, self.meaning)
        value, scheme, meaning = (field.text().strip() for field in fields)
        return Code(value, scheme, meaning)

    def _check(self, _words: str = "") -> None:
        code = self._typed()
        whole = bool(code.value and code.scheme and code.meaning)
        self.keep.setEnabled(whole)
        self.keep.setToolTip("" if whole else "Value, scheme and meaning are needed")

    def _keep(self) -> None:
        if self.keep.isEnabled():
            self.close()
            self.code_set.emit(self._value, self._typed())

    def _remove(self) -> None:
        self.close()
        self.code_set.emit(self._value, None)
