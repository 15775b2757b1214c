"""Names to test with: words of many scripts, random identifiers, and other spellings of both."""

from __future__ import annotations

import unicodedata

from hypothesis import strategies as st

from lacelang.syntax.grammar import keywords
from lacelang.text.hidden import first_hidden

WORDS = (
    "बूढ़ा",  # Hindi, with a nukta
    "क्\u200dष",  # Hindi, with a joiner
    "वयस्क२",
    "முதியவர்",  # Tamil
    "கொடு",  # Tamil, a vowel of two parts
    "వృద్ధుడు",  # Telugu
    "ಹಿರಿಯ",  # Kannada
    "കൊച്ചു",  # Malayalam
    "അവന്\u200d",  # Malayalam, a chillu as it used to be typed
    "ශ්\u200dරී",  # Sinhala
    "বৃদ্ধ",  # Bengali
    "র\u200d্যাব",  # Bengali, the joiner before the virama
    "ਬਜ਼ੁਰਗ",  # Punjabi
    "ผู้ใหญ่",  # Thai
    "ทำน้ำ",
    "ຜູ້ເຖົ້າ",  # Lao
    "អ្នកចាស់",  # Khmer
    "သက်ကြီး",  # Burmese
    "རྒན་པོ".replace("་", "_"),  # Tibetan, without its dots
    "كبير_السنّ",  # Arabic, with a shadda
    "آدم",
    "می\u200cخواهم",  # Persian
    "کتاب\u200cها",
    "שָׁלוֹם",  # Hebrew, with points
    "ܫܠܡܐ",  # Syriac
    "ދިވެހި",  # Dhivehi
    "나이든_사람",  # Korean
    "Việt_Nam",  # Vietnamese
    "người_già",
    "日本語",  # Japanese
    "がっこう",
    "パンダー",
    "老人",  # Chinese
    "葛\U000e0100",  # a variant of a character
    "ბებია",  # Georgian
    "Ծեր",  # Armenian
    "ሽማግሌ",  # Amharic
    "старый",  # Russian
    "їжак",  # Ukrainian
    "ᠮᠣᠩᠭᠣᠯ",  # Mongolian
    "ΐδιος",  # Greek, two accents
    "ᾳδης",
    "ᏣᎳᎩ",  # Cherokee
    "ᐃᓄᒃᑎᑐᑦ",  # Inuktitut
    "ⵜⴰⵎⴰⵣⵉⵖⵜ",  # Tamazight
    "ߒߞߏ",  # N'Ko
    "𞤀𞤣𞤤𞤢𞤥",  # Adlam
    "ǹjíkọ̀",  # Yoruba
    "col·lecció",  # Catalan
    "größe",
    "Ångström",
    "_é",
    "ñ2",
    "𝒳",  # beyond the first plane
    "𠀀",
    "𑄌𑄋𑄴𑄟𑄳𑄦",  # Chakma
    "ⅷ",  # a number that is a letter
)
"""Words that are names."""

BAD_WORDS = {
    "age²": "SUPERSCRIPT TWO",
    "²age": "SUPERSCRIPT TWO",
    "x①": "CIRCLED DIGIT ONE",
    "ानाम": "DEVANAGARI VOWEL SIGN AA",
    "\u0301abc": "COMBINING ACUTE ACCENT",
    "बू\u200bढ़ा": "ZERO WIDTH SPACE",
    "\u200eabc\u200f": "LEFT-TO-RIGHT MARK",
    "col\u00adour": "SOFT HYPHEN",
    "ab\u2060c": "WORD JOINER",
    "ab\u200dc": "ZERO WIDTH JOINER",
    "é\u200cé": "ZERO WIDTH NON-JOINER",
    "میم\u200d": "ZERO WIDTH JOINER",
    "میم\u200c": "ZERO WIDTH NON-JOINER",
    "צה״ל": "HEBREW PUNCTUATION GERSHAYIM",
    "בן־אדם": "HEBREW PUNCTUATION MAQAF",
    "རྒན་པོ": "TIBETAN MARK INTERSYLLABIC TSHEG",
    "a\u20dd": "COMBINING ENCLOSING CIRCLE",
    "né\ufe0f": "VARIATION SELECTOR-16",
    "né\U000e0100": "VARIATION SELECTOR-17",
    "é\u034fé": "COMBINING GRAPHEME JOINER",
    "\u3164é": "HANGUL FILLER",
    "é\uffa0": "HALFWIDTH HANGUL FILLER",
}
"""Words that are not, and the character that is in the way."""


def _may_begin(character: str) -> bool:
    return character.isidentifier()


def _may_follow(character: str) -> bool:
    return f"_{character}".isidentifier()


_FIRST = st.characters(categories=["L", "Nl"]).filter(_may_begin)
_LATER = st.characters(categories=["L", "M", "Nd", "Nl", "Pc"]).filter(_may_follow)


def _is_free(name: str) -> bool:
    # Names in ASCII may be those of attributes.
    plain = unicodedata.normalize("NFC", name)
    return (
        not plain.isascii()
        and plain.isidentifier()
        and plain not in keywords()
        and first_hidden(plain) is None
    )


def identifiers() -> st.SearchStrategy[str]:
    """Random names, none of which is in ASCII."""
    made = st.tuples(_FIRST, st.text(_LATER, max_size=6)).map("".join).filter(_is_free)
    return st.one_of(st.sampled_from(WORDS), made)


def spellings(name: str) -> st.SearchStrategy[str]:
    """Spellings that Unicode holds for equal to `name`."""
    plain = unicodedata.normalize("NFC", name)
    parts = [[c, unicodedata.normalize("NFD", c)] for c in plain]
    mixed = st.tuples(*map(st.sampled_from, parts)).map("".join)
    return st.one_of(st.sampled_from([plain, unicodedata.normalize("NFD", name), name]), mixed)


@st.composite
def names_in_two_spellings(draw: st.DrawFn) -> tuple[str, str]:
    """One name, spelled twice."""
    name = draw(identifiers())
    return draw(spellings(name)), draw(spellings(name))
