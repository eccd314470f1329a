"""Which font draws which letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.service.logs import Seldom
from pipeline.stamp import fonts

ARABIC, THAI = Path("arabic.ttf"), Path("thai.ttf")


@pytest.fixture(autouse=True)
def _fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two fonts besides our own, which have the letters of one script."""

    def has(path: Path, letter: str) -> bool:
        ours = ord(letter) < 0x530 and "\u0300" not in letter
        return {fonts.OWN: ours, ARABIC: "\u0600" <= letter < "\u0700" or letter.isdecimal()}.get(
            path, "\u0e00" <= letter < "\u0e80"
        )

    monkeypatch.setattr(fonts, "_has", has)
    monkeypatch.setattr(fonts, "_fonts", lambda: (fonts.OWN, ARABIC, THAI))
    monkeypatch.setattr(fonts, "_seldom", Seldom(fonts._log))
    caches = (fonts.runs, fonts._search)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("dog 93%", [(fonts.OWN, "dog 93%")]),
        ("หมา", [(THAI, "หมา")]),
        ("dog หมา", [(fonts.OWN, "dog "), (THAI, "หมา")]),
        ("قطة 12", [(ARABIC, "قطة 12")]),
        ("قطة หมา", [(THAI, "หมา"), (ARABIC, "قطة ")]),
        ("dog قطة cat", [(fonts.OWN, "dog "), (ARABIC, "قطة"), (fonts.OWN, " cat")]),
        ("犬", []),
        ("犬\u0301", []),
        ("\u0301", []),
        ("犬 dog 犬", [(fonts.OWN, "dog ")]),
        ("", []),
    ],
)
def test_each_run_has_a_font_with_its_letters_and_runs_are_in_the_order_of_reading(
    text: str, runs: list[tuple[Path, str]]
) -> None:
    assert list(fonts.runs(text)) == runs


def test_noto_sans_comes_first_and_serifs_come_last() -> None:
    names = ["DejaVuSerif-Bold", "DejaVuSans", "DejaVuSans-Bold", "NotoSansThai-Regular", "NotoSansThai-Bold"]

    ranked = sorted((Path(f"{name}.ttf") for name in names), key=fonts._rank)

    assert [path.stem for path in ranked] == names[::-1]


def test_a_script_without_a_font_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("犬", "猫 犬", "dog 🐕"):
        fonts.runs(text)

    (line,) = caplog.messages
    assert line.startswith("Cjk letters are left out of labels, because no font has '犬': install one")
