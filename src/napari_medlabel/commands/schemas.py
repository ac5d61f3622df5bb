"""Schemas of a case: loaded from a file or a template, saved, and added to by number."""

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from napari_medlabel.commands.door import command
from napari_medlabel.core.region_logic import relabel
from napari_medlabel.core.schema import Label
from napari_medlabel.core.schema_document import SchemaDocument, loaded_into, next_instance
from napari_medlabel.errors import InputError
from napari_medlabel.files import new_file, shown
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "SchemaTemplate",
    "add_instance",
    "case_protocol",
    "load_schema",
    "save_schema",
    "templates",
]

_SUFFIX: Final = ".labels.json"
_PROTOCOLS: Final = (".protocol.md", ".protocol.txt")
_LARGEST: Final = 4_000_000  # bytes of a schema file
_TOOL: Final = "Load schema"


@dataclass(frozen=True, slots=True)
class SchemaTemplate:
    """A schema that comes with the program; `key` is what `load_schema` takes."""

    key: str
    content: SchemaDocument


@command(needs=Permission.VIEW)
def templates(session: Session) -> tuple[SchemaTemplate, ...]:  # noqa: ARG001
    """The schemas that come with the program, in order of their names."""
    folder = resources.files("napari_medlabel") / "templates"
    found = [
        SchemaTemplate(
            one.name.removesuffix(_SUFFIX),
            SchemaDocument.from_document(json.loads(one.read_text(encoding="utf-8"))),
        )
        for one in folder.iterdir()
        if one.name.endswith(_SUFFIX)
    ]
    return tuple(sorted(found, key=lambda one: one.content.schema.name))


@command(needs=Permission.SEGMENT)
def load_schema(
    session: Session, case: OpenCase, source: Path | str, *, renumber: bool = False
) -> SchemaDocument:
    """Bring a schema into a case: one step that can be undone, and no voxel is lost.

    Segments of the case are found in it by their names and get its values, colours and codes; see
    `core.schema_document.loaded_into`.

    Parameters
    ----------
    case
        An open case.
    source
        A schema file, such as the .labels.json of an export; or the key of a template. Of a file
        NAME.labels.json without a protocol, NAME.protocol.md or .txt beside it is taken.
    renumber
        Whether a segment with voxels, whose value the schema gives another meaning, gets the next
        free value.

    Returns
    -------
    SchemaDocument
        What was loaded, with the protocol.

    Raises
    ------
    InputError
        If it cannot be read.
    ValueTaken
        If it gives a value that has voxels another meaning, and nothing may be renumbered.
    Locked
        If a locked segment would change.
    """
    case.check_open()
    seg = case.segmentation
    content = _template(session, source) if isinstance(source, str) else _from_file(source)
    voxels = {label.value: seg.voxels(label.value) for label in seg.schema}
    loaded = loaded_into(seg.schema, content.schema, voxels, renumber=renumber)
    edits = []
    for group, array in seg.arrays.items():
        own = {
            old: new for old, new in loaded.new_values.items() if seg.group_of(old) == group
        }  # fmt: skip
        edits.append(relabel(array, own).in_group(group))
    settings = {
        "schema": content.schema.name,
        "new_values": {str(old): new for old, new in loaded.new_values.items()},
        "protocol": content.protocol,
    }
    seg.apply_all(
        edits, tool=_TOOL, settings=settings, schema=loaded.schema,
        annotations=seg.annotations.with_segments(loaded.moved), whole=True,
    )  # fmt: skip
    return content


@command(needs=Permission.EXPORT)
def save_schema(
    session: Session, case: OpenCase, path: Path, *, protocol: str | None = None,  # noqa: ARG001
    force: bool = False,
) -> None:  # fmt: skip
    """Write the case's schema, and the protocol that came with it or this one, to a new file.

    Raises
    ------
    OutputError
        If the file is there already or cannot be written.
    """
    case.check_open()
    text = _protocol_of(case) if protocol is None else protocol
    document = SchemaDocument(case.segmentation.schema, text).document()
    with new_file(path, force=force) as partial:
        partial.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")


@command(needs=Permission.VIEW)
def case_protocol(session: Session, case: OpenCase) -> str:  # noqa: ARG001
    """The protocol of the schema that was loaded last, or nothing.

    It is kept with the step that loaded it: undone with it, and gone once the step is forgotten. A
    schema that changes nothing is no step.
    """
    return _protocol_of(case)


@command(needs=Permission.SEGMENT)
def add_instance(session: Session, case: OpenCase, value: int) -> Label:  # noqa: ARG001
    """Add a segment of the kind of another, with the next number: "Lesion 3".

    Raises
    ------
    InputError
        If there is no such segment.
    """
    case.check_open()
    label = next_instance(case.segmentation.schema, value)
    case.segmentation.set_label(label)
    return label


def _protocol_of(case: OpenCase) -> str:
    for number in reversed(case.segmentation.history):
        step = case.segmentation.step(number)
        if step.tool == _TOOL:
            return str(step.settings.get("protocol", ""))
    return ""


def _template(session: Session, key: str) -> SchemaDocument:
    there = {one.key: one.content for one in templates(session)}
    if key not in there:
        raise InputError(f"there is no template '{shown(key)}'", f"choose {', '.join(there)}")
    return there[key]


def _from_file(path: Path) -> SchemaDocument:
    content = SchemaDocument.from_document(_json(path))
    if content.protocol:
        return content
    stem = path.name.removesuffix(_SUFFIX).removesuffix(".json")
    for ending in _PROTOCOLS:
        beside = path.with_name(stem + ending)
        if beside.is_file():
            return SchemaDocument(content.schema, _text(beside))
    return content


def _json(path: Path) -> Any:  # noqa: ANN401  # whatever the file holds
    try:
        return json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path.name)} is not a schema", "choose a .labels.json file"
        ) from error


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{shown(path.name)} is too large for a schema", "choose another file")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{shown(path.name)} cannot be read: {error.strerror}", "choose another file"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{shown(path.name)} is not text", "choose a .labels.json file") from error
