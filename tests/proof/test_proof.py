"""All real images at hand agree with their references, and the page says just that."""

from functools import cache
from pathlib import Path

import pytest

from tests.proof.measure import measure
from tests.proof.others import FOLDERS, look_at
from tests.proof.plan import PLAN, Case
from tests.proof.table import PAGE, agrees, in_page, others_agree, written

pytestmark = pytest.mark.xdist_group("proof")  # one process measures, and each thing once
measured = cache(measure)
looked = cache(look_at)


@pytest.mark.parametrize("case", PLAN, ids=lambda case: f"{case.path}-{case.quantity}")
def test_what_is_opened_is_as_its_reference_says(shared_data: Path, case: Case) -> None:
    found = measured(shared_data, case)
    assert agrees(found), found


@pytest.mark.parametrize("folder", FOLDERS)
def test_another_reader_finds_the_same_in_odd_files(shared_data: Path, folder: str) -> None:
    found = looked(shared_data, folder)
    assert found.opened + sum(found.refused.values()) > 0
    assert others_agree(found), found


def test_the_page_has_what_is_measured(shared_data: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    cases = [measured(shared_data, case) for case in PLAN]
    wanted = written(cases, [looked(shared_data, folder) for folder in FOLDERS])
    assert in_page(page) == wanted, "run python -m tests.proof.table with the folder of the data"


def test_every_case_of_the_page_is_planned() -> None:
    table = in_page(PAGE.read_text(encoding="utf-8"))
    assert table.count("\n| `") == len(PLAN) + len(FOLDERS)
