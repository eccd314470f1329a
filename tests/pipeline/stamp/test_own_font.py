"""The font that ships with us."""

import string
import unicodedata

from pipeline.stamp import fonts


def test_our_font_has_latin_greek_and_cyrillic_letters() -> None:
    letters = [
        chr(number)
        for first, last in ((0x21, 0x7E), (0xA1, 0x17F), (0x391, 0x3CE), (0x400, 0x45F), (0x1EA0, 0x1EF9))
        for number in range(first, last + 1)
        if unicodedata.category(chr(number)) not in ("Cn", "Cf")
    ]

    assert [letter for letter in letters if not fonts._has(fonts.OWN, letter)] == []
    assert not fonts._has(fonts.OWN, "犬")


def test_capital_letters_have_the_height_that_sizes_are_computed_from() -> None:
    used = fonts.font(fonts.OWN, 1000)

    heights = [-used.getbbox(letter, anchor="ls")[1] for letter in "EHIX" if letter in string.ascii_uppercase]

    assert all(abs(height / 1000 - fonts.CAPITAL) < 0.005 for height in heights)
