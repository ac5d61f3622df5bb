"""An object that is being pointed at: its prompts, and what is known of its answer; no Qt."""

from dataclasses import dataclass, replace

from napari_medlabel.core.prompt import Point, Prompt, Scribble

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
    name
        By which the engine is to find it, before any prompt; "" where it is only pointed at.
    size, sizes
        Which of the sizes that it could have is wanted, 0 the engine's own choice, and how many
        there are, once they have all been seen; both for the first `sized` prompts.
    sized
        See there; 0 while nobody asked for another size.
    answered, ml, before_ml
        The prompts that are answered, how large it is, and how large it was before the last one.
    settled
        What was asked when it was answered last: see `asked`.
    """

    number: int
    prompts: tuple[Prompt, ...] = ()
    undone: tuple[Prompt, ...] = ()
    loose: float = 0.5
    refine: bool = False
    name: str = ""
    size: int = 0
    sizes: int | None = None
    sized: int = 0
    answered: tuple[Prompt, ...] = ()
    ml: float | None = None
    before_ml: float | None = None
    settled: tuple[object, ...] = ()

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.name or self.prompts)

    @property
    def can_be_asked(self) -> bool:
        """Whether a name or its prompts say where it is."""
        said = self.refine or any(one.include for one in self.prompts)
        return bool(self.name) or (bool(self.prompts) and said)

    @property
    def asked(self) -> tuple[object, ...]:
        """All that an answer depends on; where it is `settled`, nothing newer is on its way."""
        return (self.name, self.prompts, self.size)

    @property
    def has_sizes(self) -> bool:
        """Whether another size of it can be asked for: one prompt says little of that."""
        if len(self.prompts) != 1 or self.name or self.refine or self.prompts != self.answered:
            return False
        return isinstance(self.prompts[0], Point | Scribble) and self.sizes != 1

    @property
    def change_ml(self) -> float | None:
        """By how much the last prompt changed it; None of the first."""
        if self.ml is None or self.before_ml is None:
            return None
        return self.ml - self.before_ml

    def next_size(self) -> "Prompted":
        """With the next of its sizes."""
        size = self.size + 1 if self.sizes is None else (self.size + 1) % self.sizes
        return replace(self, size=size, sized=len(self.prompts))

    def of_size(self, size: int) -> "Prompted":
        """With the size that the engine gave: its own choice again, where there is no more."""
        if size == 0 < self.size:
            return replace(self, size=0, sizes=self.size)
        return replace(self, size=size)

    def given(self, prompt: Prompt) -> "Prompted":
        """With one more."""
        return replace(self, prompts=(*self.prompts, prompt), undone=())

    def changed(self, number: int, prompt: Prompt) -> "Prompted":
        """With another in the place of one."""
        prompts = (*self.prompts[:number], prompt, *self.prompts[number + 1 :])
        return replace(self.unsized(number), prompts=prompts, undone=())

    def without(self, number: int) -> "Prompted":
        """With one fewer, whichever."""
        prompts = (*self.prompts[:number], *self.prompts[number + 1 :])
        return replace(self.unsized(number), prompts=prompts)

    def stepped_back(self) -> "Prompted":
        """With the last one taken back."""
        *prompts, last = self.prompts
        kept = self.unsized(len(prompts))
        return replace(kept, prompts=tuple(prompts), undone=(last, *self.undone))

    def stepped_on(self) -> "Prompted":
        """With that taken back last given again."""
        first, *others = self.undone
        return replace(self, prompts=(*self.prompts, first), undone=tuple(others))

    def unasked(self) -> "Prompted":
        """As before any answer."""
        return replace(self, answered=(), ml=None, before_ml=None, settled=())

    def answered_by(self, prompts: tuple[Prompt, ...], ml: float) -> "Prompted":
        """With an answer to some prompts; one cut anew is compared with the same as before."""
        settled = (self.name, prompts, self.size)
        if prompts == self.answered:
            return replace(self, ml=ml, settled=settled)
        return replace(self, answered=prompts, before_ml=self.ml, ml=ml, settled=settled)

    def as_settled(self, prompts: tuple[Prompt, ...]) -> "Prompted":
        """With these prompts alone, of the size that was answered: nothing came of newer ones."""
        size = next((one for one in self.settled[2:] if isinstance(one, int)), 0)
        return replace(self, prompts=prompts, size=size)

    def unsized(self, number: int = 0) -> "Prompted":
        """As before another size was asked for, if that was of a prompt from this one on."""
        return self if number >= self.sized else replace(self, size=0, sizes=None, sized=0)
