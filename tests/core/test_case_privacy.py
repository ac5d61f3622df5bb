"""A part is cleared by an event that says so, or not at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.case_privacy import (
    PARTS,
    CasePrivacy,
    PartState,
    PrivacyPolicy,
    missing_parts,
)
from napari_medlabel.errors import InputError

WHEN = "2026-11-21T10:00:00.000Z"
MOMENTS = ("labelling", "another-user", "export")

parts = st.sampled_from(PARTS)
states = st.sampled_from(("unknown", "not-needed", "done", "overridden"))
events = st.builds(
    PartState, parts, states, st.just("looked at"), st.sampled_from(("mk", "ts")), st.just(WHEN)
)
some_parts = st.frozensets(parts)
policies = st.builds(
    PrivacyPolicy, some_parts, some_parts, some_parts, st.booleans(),
    st.frozensets(st.sampled_from(("mk", "ts")), max_size=1),
)  # fmt: skip


def told(wanted: list[PartState]) -> CasePrivacy:
    """What those of the events come to that follow from what was said before."""
    privacy = CasePrivacy()
    for event in wanted:
        before = privacy
        try:
            privacy = privacy.then(event)
        except InputError:
            assert event.state == "overridden"
            assert before.of(event.part).cleared
        else:
            assert privacy.history[:-1] == before.history
    return privacy


@settings(max_examples=40)
@given(st.lists(events, max_size=8))
def test_the_last_event_of_a_part_is_its_state_and_without_one_it_is_unknown(
    wanted: list[PartState],
) -> None:
    privacy = told(wanted)
    for part in PARTS:
        said = [one for one in privacy.history if one.part == part]
        assert privacy.of(part) == (said[-1] if said else PartState(part))
    assert privacy.cleared == all(
        privacy.of(part).state in {"done", "not-needed"} for part in PARTS
    )


@settings(max_examples=40)
@given(st.lists(events, max_size=8), policies, st.sampled_from(MOMENTS))
def test_the_gate_wants_what_the_policy_names_and_nobody_has_cleared(
    wanted: list[PartState], policy: PrivacyPolicy, moment: str
) -> None:
    privacy = told(wanted)
    missing = {one.part for one in missing_parts(privacy, policy, (moment,))}
    through = {
        one.part
        for one in privacy.parts
        if one.cleared or (one.state == "overridden" and policy.lets_override(one.who))
    }
    assert missing == policy.wanted(moment) - through
    assert not missing_parts(privacy, PrivacyPolicy(), MOMENTS)


@settings(max_examples=20)
@given(policies)
def test_a_policy_comes_back_from_its_document(policy: PrivacyPolicy) -> None:
    assert PrivacyPolicy.from_document(policy.document()) == policy


@pytest.mark.parametrize(
    "wrong",
    [
        {"part": "voice", "state": "done", "why": "x", "who": "mk", "when": WHEN},
        {"part": "face", "state": "fine", "why": "x", "who": "mk", "when": WHEN},
        {"part": "face", "state": "done", "why": " ", "who": "mk", "when": WHEN},
        {"part": "face", "state": "done", "why": "x", "who": "", "when": WHEN},
        {"part": "face", "state": "unknown", "why": "", "who": "mk", "when": ""},
        {"part": "face", "state": "done", "why": "two\nlines", "who": "mk", "when": WHEN},
        {"part": "face", "state": "done", "why": "x" * 501, "who": "mk", "when": WHEN},
        {"part": "face", "state": "done", "why": "x", "who": "mk", "when": WHEN,
         "proof": {"number": float("nan")}},
        {"part": "face", "state": "done", "why": "x", "who": "mk", "when": WHEN,
         "proof": {"long": "x" * 20_000}},
        {"part": "face", "done": True},
    ],
)  # fmt: skip
def test_what_says_nothing_is_no_state(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        PartState.from_document(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"format": 2, "before": {}, "override": {"allowed": True, "by": []}},
        {"format": 1, "before": {"export": ["face"]}, "override": {"allowed": True, "by": []}},
        PrivacyPolicy().document() | {"override": {"allowed": "yes", "by": []}},
        PrivacyPolicy().document() | {"before": {key: ["voice"] for key in MOMENTS}},
    ],
)
def test_what_is_no_policy_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        PrivacyPolicy.from_document(wrong)
