"""What can be done about slices that are no regular grid: buttons, each with what it will do."""

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QDoubleSpinBox, QFrame, QGridLayout, QVBoxLayout

from napari_medlabel.commands import Offer
from napari_medlabel.core.derivation import Choice
from napari_medlabel.errors import MedlabelError
from napari_medlabel.ui.offer_words import offer_verb, offer_words
from napari_medlabel.ui.widgets import Choice as Either
from napari_medlabel.ui.widgets import button, column, restyle, row, text

__all__ = ["OffersView"]

Ask = Callable[[Choice], Offer]
ASK_MS = 150  # after the last change of a number


class OffersView(QFrame):
    """Offers, none taken by itself; `wanted` has the one that was.

    Parameters
    ----------
    offers
        What can be done.
    ask
        What another choice would make; raises MedlabelError where it makes nothing.
    """

    wanted = Signal(object)

    def __init__(self, offers: Sequence[Offer], ask: Ask) -> None:
        super().__init__()
        self.setProperty("card", "plain")
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.setAccessibleName("What can be done about its slices")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 10)
        layout.setSpacing(6)
        layout.addWidget(text("What can be done", tone="3"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        self.buttons = []
        for n, offer in enumerate(offers):
            made = button(offer_verb(offer), partial(self._pressed, offer))
            made.setAccessibleDescription(offer_words(offer))
            self.buttons.append(made)
            grid.addWidget(made, n, 0)
            grid.addWidget(text(offer_words(offer), tone="2", wrap=True), n, 1)
        layout.addLayout(grid)
        self.form: ResampleForm | None = None
        resampled = next((one for one in offers if one.choice.irregular == "resample"), None)
        if resampled is not None:
            self.form = ResampleForm(resampled, ask)
            self.form.wanted.connect(self.wanted)
            self.form.hide()
            layout.addWidget(self.form)

    def _pressed(self, offer: Offer) -> None:
        if offer.choice.irregular == "resample" and self.form is not None:
            self.form.setVisible(not self.form.isVisible())
            self.form.step.setFocus()
            self.form.step.selectAll()
        else:
            self.wanted.emit(offer)


class ResampleForm(QFrame):
    """To which step, and how; says what would come of it as it is changed."""

    wanted = Signal(object)

    def __init__(self, offer: Offer, ask: Ask) -> None:
        super().__init__()
        self._ask, self.offer = ask, offer
        grid = offer.pieces[0].geometry
        self.step = QDoubleSpinBox()
        self._usual = round(grid.spacing_mm[0], 2) if grid is not None else 1.0
        extent = self._usual * (grid.shape[0] - 1 if grid is not None else 1)
        self.step.setRange(0.01, max(self._usual, extent))
        self.step.setDecimals(2)
        self.step.setSingleStep(0.5)
        self.step.setSuffix(" mm")
        self.step.setKeyboardTracking(False)
        self.step.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.step.setAccessibleName("From slice to slice in millimetres")
        self.step.setValue(self._usual)
        self.method = Either(
            ["Image values", "Labels"],
            ["Values between slices are interpolated", "The nearest value: labels have no between"],
        )
        self.method.set_chosen(int(offer.choice.nearest))
        self._nearest = offer.choice.nearest
        self.words = text(tone="2", wrap=True)  # only what is not said above
        self.words.hide()
        self.go = button("Resample and open", self._take, kind="primary")
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(ASK_MS)
        self._wait.timeout.connect(self.ask_now)
        self.step.valueChanged.connect(lambda _value: self._wait.start())
        self.method.chosen.connect(self._method_chosen)
        fields = row(text("From slice to slice", tone="2"), self.step, 8, self.method, None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(column(fields, self.words, row(self.go, None), gap=8))

    def ask_now(self) -> bool:
        """Find out what the numbers would make; False, and why in words, where nothing."""
        self._wait.stop()
        usual = abs(self.step.value() - self._usual) < 0.005
        choice = Choice("resample", None if usual else self.step.value(), self._nearest)
        try:
            self.offer = self._ask(choice)
        except MedlabelError as error:
            self._say(". ".join(filter(None, (error.what, error.hint))), wrong=True)
            return False
        self._say(offer_words(self.offer))
        return True

    def _say(self, words: str, *, wrong: bool = False) -> None:
        self.words.setText(f"{words[:1].upper()}{words[1:]}")
        restyle(self.words, tone="error" if wrong else "2")
        self.words.show()
        self.go.setEnabled(not wrong)

    def _method_chosen(self, number: int) -> None:
        self._nearest = number == 1
        self.ask_now()

    def _take(self) -> None:
        if not self._wait.isActive() or self.ask_now():
            self.wanted.emit(self.offer)
