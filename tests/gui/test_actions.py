"""The list of actions and the sets of keys, without a window."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.ui.action import GROUPS, Action, Facts
from napari_medlabel.ui.actions import ACTIONS, BY_ID, WINDOW_ACTIONS, missing_methods
from napari_medlabel.ui.key_sets import SETS, KeyChoice, keymap
from napari_medlabel.ui.key_text import UnknownKey, caps, normal
from napari_medlabel.ui.napari_keys import BLOCKED, KEPT, RESERVED
from napari_medlabel.ui.start_actions import start_actions
from napari_medlabel.ui.tool_specs import SPECS

BASES = [one.id for one in SETS]
KEYS = sorted({key for one in ACTIONS for key in one.keys} | {"Ctrl+B", "F5", "U", "Shift+1"})
choices = st.builds(KeyChoice, st.sampled_from(BASES), st.booleans())


def used(choice: KeyChoice) -> list[str]:
    return [key for keys in keymap(choice).values() for key in keys]


def test_every_action_has_an_id_of_its_own_words_and_a_group() -> None:
    assert len(BY_ID) == len(ACTIONS) > 80
    assert len({one.words for one in ACTIONS}) == len(ACTIONS)
    assert {one.group for one in ACTIONS} == set(GROUPS)
    assert {one.id for one in ACTIONS if one.words[0].islower() or one.words.endswith(".")} == set()


def test_the_window_does_what_has_no_method() -> None:
    assert set(WINDOW_ACTIONS) == {
        "history", "find-action", "keys", "change-keys", "lock-workspace", "statistics", "compare",
        "import-mask", "import-mask-folder", "save-version", "versions",
        "annotate-tab", "deface-tab", "export-tab",
        *(one.id for one in start_actions()),
    }  # fmt: skip


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("digits_pick", [False, True])
def test_no_key_does_two_things_and_none_is_napari_s_to_keep(
    base: str, *, digits_pick: bool
) -> None:
    keys = used(KeyChoice(base, digits_pick))
    assert len(keys) == len(set(keys)) > 80
    assert [key for key in keys if normal(key) != key] == []
    assert set(keys) & set(RESERVED) == set()


@pytest.mark.parametrize("base", BASES)
def test_every_action_that_has_a_key_has_one_in_every_set(base: str) -> None:
    keys = keymap(KeyChoice(base))
    assert [one.id for one in ACTIONS if one.keys and not keys[one.id]] == []


def test_what_napari_s_keys_become_is_said_once() -> None:
    assert set(BLOCKED) & set(KEPT) == set()
    assert [key for key in (*BLOCKED, *KEPT, *RESERVED) if normal(key) != key] == []


def test_digits_pick_segments_when_they_should() -> None:
    keys = keymap(KeyChoice(digits_pick=True))
    for n in range(1, 10):
        assert keys[f"pick-{n}"] == (f"{n}", f"Shift+{n}")
    assert keys["paint"] == ("P",)
    assert keymap(KeyChoice())["paint"] == ("P", "2")


@given(choices, st.data())
def test_changing_keys_never_gives_one_key_to_two_actions(
    choice: KeyChoice, data: st.DataObject
) -> None:
    for _time in range(6):
        action = data.draw(st.sampled_from(ACTIONS)).id
        keys = tuple(data.draw(st.lists(st.sampled_from(KEYS), max_size=2)))
        owners = {key: name for name, of in keymap(choice).items() for key in of}
        try:
            choice = choice.with_keys(action, keys)
        except InputError:
            assert any(owners.get(key, action) != action for key in keys)
        else:
            fixed = {action[-1]} if choice.digits_pick and action.startswith("pick-") else set()
            assert set(keymap(choice)[action]) | fixed == set(keys) | fixed
    assert len(used(choice)) == len(set(used(choice)))
    again = KeyChoice.from_document(choice.document())
    assert keymap(again) == keymap(choice)
    assert keymap(choice.as_given()) == keymap(KeyChoice(choice.base, choice.digits_pick))


def test_a_key_of_another_action_is_refused_with_its_name() -> None:
    with pytest.raises(InputError, match=r"^P is the key of .Paint.$") as refused:
        KeyChoice().with_keys("fill", ("P",))
    assert refused.value.hint
    moved = KeyChoice().with_keys("paint", ("2",)).with_keys("fill", ("P",))
    assert keymap(moved)["fill"] == ("P",)
    assert keymap(moved)["paint"] == ("2",)


@pytest.mark.parametrize(
    ("key", "words"),
    [("Ctrl+W", "is napari's: close the window"), ("Tab", "leads from one control"),
     ("Ctrl+C", "is for text"), ("Ctrl+", "not one key"), ("Hyper+P", "not one key"),
     ("PP", "not one key")],
)  # fmt: skip
def test_a_key_that_cannot_be_ours_is_refused_with_the_reason(key: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        KeyChoice().with_keys("fill", (key,))


def test_a_set_changed_back_is_not_changed() -> None:
    changed = KeyChoice().with_keys("fill", ("U",))
    assert changed.document()["changed"] == {"medlabel": {"fill": ["U"]}}
    assert changed.with_keys("fill", ("F", "4")).document()["changed"] == {}


@pytest.mark.parametrize(
    "document",
    [{}, {"set": "vim"}, {"set": 3, "changed": 4}, {"changed": {"medlabel": 3, "vim": {}}},
     {"changed": {"medlabel": {"fill": "F", "no-such": ["B"], "paint": ["P", "E"]}}},
     {"changed": {"medlabel": {"fill": [3], "grow": ["Ctrl+Q"]}}}],
)  # fmt: skip
def test_settings_that_make_no_sense_leave_the_keys_as_given_out(
    document: dict[str, object],
) -> None:
    keys = used(KeyChoice.from_document(document))
    assert sorted(keys) == sorted(used(KeyChoice()))


@given(st.text(max_size=12) | st.text(max_size=1))
@example("\N{LATIN SMALL LETTER SHARP S}")
def test_a_text_is_one_key_or_none(text: str) -> None:
    try:
        key = normal(text)
    except UnknownKey:
        return
    assert normal(key) == key
    assert caps(key)


@pytest.mark.parametrize(
    ("key", "same"),
    [("control+shift+z", "Ctrl+Shift+Z"), ("Enter", "Return"), ("PageUp", "PgUp"),
     ("ctrl++", "Ctrl++"), ("+", "+"), ("Shift+Alt+x", "Alt+Shift+X"),
     ("?", "?"), ("f12", "F12"), ("Escape", "Esc")],
)  # fmt: skip
def test_a_key_is_written_in_one_way(key: str, same: str) -> None:
    assert normal(key) == same


def rules() -> Iterator[tuple[Action, Facts]]:
    some = Facts(segments=2, active=1, presets=3, tool="paint", preview=True, making=True,
                 under_way=True, can_undo=True, can_redo=True, annotation=True)  # fmt: skip
    for action in ACTIONS:
        yield action, some


def test_all_can_be_done_to_a_case_with_everything_in_it() -> None:
    reasons = {action.id: why for action, facts in rules() if (why := action.rule(facts))}
    assert set(reasons) == {
        *(f"pick-{n}" for n in range(3, 10)), *(f"preset-{n}" for n in range(4, 10)),
    }  # fmt: skip
    assert reasons["pick-3"] == "There is no segment 3"


def test_nothing_that_changes_segments_can_be_done_to_a_case_that_is_only_read() -> None:
    facts = Facts("Somebody else works on it", 9, 1, 9, "paint", preview=False, can_undo=True,
                  can_redo=True)  # fmt: skip
    refused = {action.id for action in ACTIONS if action.rule(facts) == facts.read_only}
    assert {"paint", "interpolate", "undo", "redo", "lock", "add-segment", "smooth"} <= refused
    assert refused & {"next-slice", "pick-1", "preset-1", "outline", "annotate-distance"} == set()


def test_every_tool_is_an_action_and_does_what_it_says() -> None:
    taken = {one.args[0] for one in ACTIONS if one.method == "tools.set_tool"}
    assert set(SPECS) - taken == {"interpolate", "carry"}  # actions of their own


def test_what_the_drawing_cannot_do_yet_is_found() -> None:
    class Tools:
        def set_tool(self, tool: str) -> None: ...

    class Bare:
        tools = Tools

    missing = missing_methods(Bare)
    assert missing["looking.step_slice"] == (
        "next-slice", "previous-slice", "ten-slices-up", "ten-slices-down",
    )  # fmt: skip
    assert "tools.set_tool" not in missing
    with pytest.raises(AttributeError, match=r"looking\.step_slice"):
        BY_ID["next-slice"].run(Bare)
