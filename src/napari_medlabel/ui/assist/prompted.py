"""An object that is being pointed at: its prompts, and what is known of its answer; no Qt."""

from dataclasses import dataclass, replace

from napari_medlabel.core.prompt import Prompt

__all__ = ["Prompted"]


@dataclass(frozen=True, slots=True)
class Prompted:
    """Prompts for one object of a segment.

    Parameters
    ----------
    number
        Its own.
    prompts, undone
        Those that were given, and those taken back that can come again, the next one first.
    loose
        Where its boundary is, 0 tight to 1 loose.
    refine
        Whether it is all of the segment, which is corrected.
    answered, ml, before_ml
        The prompts that are answered, how large it is, and how large it was before the last one.
    """

    number: int
    prompts: tuple[Prompt, ...] = ()
    undone: tuple[Prompt, ...] = ()
    loose: float = 0.5
    refine: bool = False
    answered: tuple[Prompt, ...] = ()
    ml: float | None = None
    before_ml: float | None = None

    @property
    def can_be_asked(self) -> bool:
        """Whether its prompts say where it is."""
        return bool(self.prompts) and (self.refine or any(one.include for one in self.prompts))

    @property
    def change_ml(self) -> float | None:
        """By how much the last prompt changed it; None of the first."""
        if self.ml is None or self.before_ml is None:
            return None
        return self.ml - self.before_ml

    def given(self, prompt: Prompt) -> "Prompted":
        """With one more."""
        return replace(self, prompts=(*self.prompts, prompt), undone=())

    def changed(self, number: int, prompt: Prompt) -> "Prompted":
        """With another in the place of one."""
        prompts = (*self.prompts[:number], prompt, *self.prompts[number + 1 :])
        return replace(self, prompts=prompts, undone=())

    def without(self, number: int) -> "Prompted":
        """With one fewer, whichever."""
        return replace(self, prompts=(*self.prompts[:number], *self.prompts[number + 1 :]))

    def stepped_back(self) -> "Prompted":
        """With the last one taken back."""
        *prompts, last = self.prompts
        return replace(self, prompts=tuple(prompts), undone=(last, *self.undone))

    def stepped_on(self) -> "Prompted":
        """With that taken back last given again."""
        first, *others = self.undone
        return replace(self, prompts=(*self.prompts, first), undone=tuple(others))

    def unasked(self) -> "Prompted":
        """As before any answer."""
        return replace(self, answered=(), ml=None, before_ml=None)

    def answered_by(self, prompts: tuple[Prompt, ...], ml: float) -> "Prompted":
        """With an answer to some prompts; one cut anew is compared with the same as before."""
        if prompts == self.answered:
            return replace(self, ml=ml)
        return replace(self, answered=prompts, before_ml=self.ml, ml=ml)
