"""The tests of the page's modules, run by Node."""

import re
import subprocess
from typing import Final

import pytest

from tests.parts import ROOT
from tests.video.test_page_modules import node

__all__ = ["node"]

pytestmark = pytest.mark.parts

TESTS: Final = sorted((ROOT / "tests/training/page").glob("*.test.js"))


def test_the_pages_modules_pass_their_own_tests(node: str) -> None:
    command = [node, "--test", "--test-reporter=tap", *map(str, TESTS)]

    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert run.returncode == 0, run.stdout + run.stderr
    passed = re.search(r"^# pass (\d+)$", run.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= len(TESTS) > 0, run.stdout
