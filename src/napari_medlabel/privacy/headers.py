"""Headers de-identified: every element is decided on, what is on no list goes, the rest is checked.

An element reaches the new data set in one of three ways only: the table or the profile lets it, and
its value is of its kind; what stands for it is made here; or it says what was done.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from napari_medlabel.privacy.coded import CODE_TAGS, VALUE, coded_entry
from napari_medlabel.privacy.decisions import Decision, decider
from napari_medlabel.privacy.dicom_source import Element, Item, Source, uid_text
from napari_medlabel.privacy.identifiers import Identifier, Left, identifiers, own_words, said
from napari_medlabel.privacy.keeping import Keeper
from napari_medlabel.privacy.private import mosaic_header, safe_elements
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.pseudonyms import Identity, Pseudonyms
from napari_medlabel.privacy.values import decoded, dummy, encoded, split, vr_of
from napari_medlabel.privacy.wording import Wording
from napari_medlabel.privacy.writing import element_bytes, meta_bytes, sequence_bytes

__all__ = ["Headers", "Made", "Step", "Watch", "identity_of", "new_headers"]

_CHARSET, _MODALITY = 0x00080005, 0x00080060
_SOP_CLASS, _INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_NAME, _ID, _ISSUER, _BORN = 0x00100010, 0x00100020, 0x00100021, 0x00100030
_BURNED_IN, _FACE, _TEMPORAL = 0x00280301, 0x00280302, 0x00280303
_REMOVED, _METHOD, _METHOD_CODES = 0x00120062, 0x00120063, 0x00120064
# Made here, whatever the source says.
_OURS: Final = frozenset({
    _CHARSET, _NAME, _ID, _BURNED_IN, _FACE, _TEMPORAL, _REMOVED, _METHOD, _METHOD_CODES,
})  # fmt: skip
_FRAMES: Final = frozenset({0x52009229, 0x52009230})  # as many items as there are frames
_TEMPORAL_WORDS: Final = {"removed": "REMOVED", "kept": "UNMODIFIED"}

Watch = Callable[["Step"], None]
Decide = Callable[[int], Decision]


@dataclass(frozen=True, slots=True)
class Step:
    """What was done to one element: for a preview on a person's own screen, never for a report."""

    path: str
    tag: int
    action: str
    why: str
    letter: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False)
class Headers:
    """What is done to headers, under which key; `pixels` and `face` were cleaned, and checked.

    `text_left` says that text was seen in the pixels and left there on purpose.
    """

    profile: Profile
    names: Pseudonyms
    pixels: bool = False
    face: bool = False
    text_left: bool = False
    _decided: dict[tuple[str, bool], Decide] = field(default_factory=dict, repr=False)

    def decide(self, sop_class: str, *, nested: bool) -> Decide:
        """What is done to each attribute of a kind of object; worked out once."""
        key = (sop_class, nested)
        if key not in self._decided:
            self._decided[key] = decider(self.profile, sop_class, nested=nested)
        return self._decided[key]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The new header up to the pixel data, what it is called, and what must be in it no more."""

    meta: bytes
    dataset: bytes
    patient: str
    study: str
    series: str
    instance: str
    identity: Identity
    says_burned_in: bool
    tally: Counter[tuple[int, str]] = field(default_factory=Counter)
    wanted: frozenset[Identifier] = frozenset()


def identity_of(source: Source) -> Identity:
    """Who a file is about."""
    item = source.dataset

    def first(tag: int, vr: str) -> str:
        return split(item.get(tag), vr, item.encodings)[0]

    return Identity(
        first(_ID, "LO"), first(_ISSUER, "LO"), first(_NAME, "PN"), first(_BORN, "DA"),
        uid_text(item.get(_STUDY)),
    )  # fmt: skip


def new_headers(source: Source, what: Headers, watch: Watch | None = None) -> Made:
    """The header of a file as the profile wants it.

    Parameters
    ----------
    source
        As it was read.
    what
        Profile and key.
    watch
        Told of each element what was done to it.
    """
    return _Pass(source, what, watch).made()


class _Pass:
    """One file's header on its way."""

    def __init__(self, source: Source, what: Headers, watch: Watch | None) -> None:
        self._source, self._what, self._watch = source, what, watch
        self._identity = identity_of(source)
        self._class = uid_text(source.dataset.get(_SOP_CLASS))
        self._shift = what.names.shift_days(self._identity)
        self._said = said(source)
        wording = Wording(own_words(self._said), what.profile.own_words)
        self._keeper = Keeper(what.profile, what.names, self._shift, wording)
        self._tally: Counter[tuple[int, str]] = Counter()
        self._top = what.decide(self._class, nested=False)
        self._inside = what.decide(self._class, nested=True)

    def made(self) -> Made:
        """The new header."""
        item, keeper = self._source.dataset, self._keeper
        parts = dict(self._elements(item, "", self._top))
        pseudonym = self._what.names.of(self._identity)
        burned_in = "YES" in split(item.get(_BURNED_IN), "CS", ()) or self._what.text_left
        parts |= self._statements(pseudonym, burned_in=burned_in)
        if item.get(_CHARSET) or not keeper.is_ascii:
            parts[_CHARSET] = self._text(_CHARSET, "CS", "ISO_IR 192")
        uids = {tag: uid_text(item.get(tag)) for tag in (_INSTANCE, _STUDY, _SERIES)}
        if not uids[_INSTANCE]:  # it must have one: from what it is
            uids[_INSTANCE] = b"".join(parts[tag] for tag in sorted(parts)).hex()
            parts[_INSTANCE] = self._put(_INSTANCE, "UI", keeper.mapped(uids[_INSTANCE].encode()))
        new = {tag: self._what.names.uids.mapped(uid) if uid else "" for tag, uid in uids.items()}
        if self._what.profile.uids:
            new |= {tag: uid for tag, uid in uids.items() if tag in parts and uid in keeper.kept}
        return Made(
            meta=meta_bytes(
                self._what.names.uids.mapped(self._class), new[_INSTANCE], self._source.syntax
            ),
            dataset=b"".join(parts[tag] for tag in sorted(parts)),
            patient=pseudonym,
            study=new[_STUDY],
            series=new[_SERIES],
            instance=new[_INSTANCE],
            identity=self._identity,
            says_burned_in=burned_in,
            tally=self._tally,
            wanted=frozenset(self._wanted()),
        )

    def _wanted(self) -> set[Identifier]:
        keeper = self._keeper
        if self._what.names.is_ours(self._identity.patient_id):
            return set()  # it holds nothing but what stands for others
        left = Left(
            self._what.profile, keeper.wording, frozenset(keeper.kept), self._shift,
            self._what.names.of(self._identity),
        )  # fmt: skip
        return identifiers(self._said, left)

    def _elements(self, item: Item, path: str, decide: Decide) -> list[tuple[int, bytes]]:
        """Tags and bytes of what stays of a data set or an item, in the order of the tags."""
        entry = coded_entry(item, self._keeper.wording) if item.get(VALUE) else None
        safe = safe_elements(item) if self._what.profile.safe_private else {}
        made: list[tuple[int, bytes]] = []
        for element in item.elements:
            tag = element.tag
            if not path and tag in _OURS:
                continue
            if entry is not None and tag in CODE_TAGS:
                decision = Decision("V", "a coded entry")
                done = self._coded(element, item, entry)
            else:
                decision = _decision(tag, safe, decide)
                done = self._done(element, item, path, decision, safe.get(tag, ""))
            self._note(element, item, path, decision, *done)
            if done[1]:
                made.append((tag, done[1]))
        return _without_lone_creators(made)

    def _done(  # noqa: C901, PLR0911  # a line for each action
        self, element: Element, item: Item, path: str, decision: Decision, private_vr: str
    ) -> tuple[str, bytes]:
        """The action that was taken in the end, and the element's bytes; none where it is gone."""
        tag, action = element.tag, decision.action
        vr = private_vr or vr_of(tag, element.vr)
        if private_vr == "creator":
            return "K", self._put(tag, "LO", element.value)
        if private_vr == "mosaic":
            header = mosaic_header(element.value)
            return ("C", self._put(tag, "OB", header)) if header else ("X", b"")
        if action == "X" or not vr:
            return "X", b""
        if vr == "SQ":
            return self._sequence(element, path, action)
        if action == "Z":
            return "Z", self._put(tag, vr, b"")
        if action == "D":
            value = self._keeper.mapped(element.value) if vr == "UI" else dummy(vr)
            return ("D", self._put(tag, vr, value)) if value else ("X", b"")
        if action == "U" and vr == "UI" and not element.value.strip(b"\0 "):
            return "Z", self._put(tag, vr, b"")
        kept = self._keeper.value(
            tag, vr, element.value, item.encodings, action, self._source.encoding.order
        )
        if kept is not None:
            return kept[0], self._put(tag, vr, kept[1])
        if tag == _MODALITY:
            return "D", self._put(tag, vr, b"OT")
        if decision.otherwise in {"Z", "D"} and action != decision.otherwise:
            other = Decision(decision.otherwise, decision.why)
            return self._done(element, item, path, other, private_vr)
        return "X", b""

    def _sequence(self, element: Element, path: str, action: str) -> tuple[str, bytes]:
        """A sequence, its items gone through; none where nothing of them is left."""
        tag, encoding = element.tag, self._source.encoding
        if element.items is None or action == "U":
            return "X", b""
        if action == "Z":
            return "Z", sequence_bytes(tag, (), encoding)
        items = []
        for number, item in enumerate(element.items, 1):
            below = f"{path}{tag:08X}[{number}]."
            refused = item.get(VALUE) and coded_entry(item, self._keeper.wording) is None
            made = [] if refused else self._elements(item, below, self._inside)
            if refused:
                self._tally_all(item)
            if made or tag in _FRAMES or not item.elements:
                items.append(b"".join(part for _, part in made))
        if element.items and not items:
            return "X", b""
        return "K", sequence_bytes(tag, items, encoding)

    def _tally_all(self, item: Item) -> None:
        """Count an item that is removed whole, with all that is in it."""
        for element in item.elements:
            self._tally[element.tag, "X"] += 1
            for inside in element.items or ():
                self._tally_all(inside)

    def _coded(self, element: Element, item: Item, entry: dict[int, str]) -> tuple[str, bytes]:
        text = entry.get(element.tag)
        if text is None:
            return "X", b""
        same = split(element.value, "LO", item.encodings)[0] == text
        self._keeper.kept.add(text)
        vr = vr_of(element.tag, "")
        return "K" if same else "C", self._put(element.tag, vr, self._keeper.coded(text))

    def _statements(self, pseudonym: str, *, burned_in: bool) -> dict[int, bytes]:
        """Who it is now, and what was done: PS3.15 E.1.1, PS3.3 C.7.1.1 and C.7.6.1."""
        what, profile = self._what, self._what.profile
        stated = {
            _NAME: ("PN", pseudonym),
            _ID: ("LO", pseudonym),
            _REMOVED: ("CS", "YES"),
            _METHOD: ("LO", f"napari-medlabel\\profile {_shortened(profile.name)}"),
            _TEMPORAL: ("CS", _TEMPORAL_WORDS.get(profile.dates, "MODIFIED")),
        }
        if what.pixels or burned_in:  # "NO" only where that was checked; "YES" is never lost
            stated[_BURNED_IN] = ("CS", "NO" if what.pixels else "YES")
        if what.face:
            stated[_FACE] = ("CS", "NO")
        made = {tag: self._text(tag, vr, text) for tag, (vr, text) in stated.items()}
        codes = profile.codes(pixels=what.pixels, face=what.face)
        items = [
            self._text(VALUE, "SH", code)
            + self._text(0x00080102, "SH", "DCM")
            + self._text(0x00080104, "LO", meaning)
            for code, meaning in codes
        ]
        made[_METHOD_CODES] = sequence_bytes(_METHOD_CODES, items, self._source.encoding)
        self._tally[_NAME, "D"] += 1
        self._tally[_ID, "D"] += 1
        if self._watch is not None:
            self._tell_who(pseudonym)
        return made

    def _tell_who(self, pseudonym: str) -> None:
        assert self._watch is not None  # noqa: S101  # asked by the caller
        for tag, before in ((_NAME, self._identity.name), (_ID, self._identity.patient_id)):
            letter = "A" if tag == _NAME else "H"
            why = "Table E.1-1, the patient's pseudonym"
            self._watch(Step("", tag, "D", why, letter, before, pseudonym))

    def _note(  # noqa: PLR0913, PLR0917  # all that a step says
        self, element: Element, item: Item, path: str, decision: Decision, taken: str, made: bytes
    ) -> None:
        self._tally[element.tag, taken] += 1
        if self._watch is None or element.items is not None:
            return
        head = 12 if len(made) >= 12 and made[4:6] in {b"UC", b"UT", b"UR"} else 8
        vr = vr_of(element.tag, element.vr) or "LO"
        before = decoded(element.value[:256], vr, item.encodings)
        after = decoded(made[head : head + 256], "LO", ("utf-8",)) if made else ""
        step = Step(path, element.tag, taken, decision.why, decision.letter, before, after)
        self._watch(step)

    def _text(self, tag: int, vr: str, text: str) -> bytes:
        return self._put(tag, vr, encoded([text], vr))

    def _put(self, tag: int, vr: str, value: bytes) -> bytes:
        return element_bytes(tag, vr, value, self._source.encoding)


def _decision(tag: int, safe: dict[int, str], decide: Decide) -> Decision:
    group, element = divmod(tag, 1 << 16)
    if tag in safe:
        return Decision("V", "Table E.3.10-1, option safe_private")
    if group & 1:
        return Decision("X", "Table E.1-1, private attributes", "R")
    if group & 0xFF00 in {0x5000, 0x6000} and group & 0xFF <= 0x1E:
        return Decision("X", "Table E.1-1, curves and overlays", "R")
    if element == 0 or group in {0x0000, 0x0002}:
        return Decision("X", "a group's length, or not of a data set")
    return decide(tag)


def _without_lone_creators(made: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Without private creators of whose block nothing is left."""
    used = {tag >> 16 << 16 | (tag & 0xFFFF) >> 8 for tag, _ in made if tag >> 16 & 1}
    lone = {tag for tag, _ in made if tag >> 16 & 1 and tag & 0xFFFF <= 0xFF} - used
    return [(tag, part) for tag, part in made if tag not in lone]


def _shortened(name: str) -> str:
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c in " -_."))[:48]
