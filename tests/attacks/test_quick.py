"""The attacks that end within seconds and need no root; tests/scripts/attacks.py tries all."""

from pathlib import Path

import pytest

from tests.attacks.box import Attack, Box, UntriedError
from tests.attacks.catalog import QUICK


@pytest.mark.parametrize("attack", QUICK, ids=lambda attack: attack.__name__)
def test_an_attack_ends_as_it_should(attack: Attack, tmp_path: Path) -> None:
    try:
        wrong = list(attack(Box(tmp_path)))
    except UntriedError as error:
        pytest.skip(str(error))

    assert wrong == []
