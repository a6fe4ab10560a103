"""Words of a quoted passage that may turn a caption round, in the languages that are told apart: sides and denials.

A passage in another language is not read. What is compared is what stands in it letter by letter: numbers, sides, and
whether it denies something at all. Languages that are easily taken for one another share a table.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class QuoteWords(NamedTuple):
    """Patterns of one table, for lower-case text: what says left, right, both sides, and what denies."""

    left: re.Pattern[str]
    right: re.Pattern[str]
    both: re.Pattern[str]
    denial: re.Pattern[str]


def _words(*patterns: str) -> QuoteWords:
    """Return patterns that match whole words."""
    return QuoteWords(*(re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for pattern in patterns))


def _parts(*patterns: str) -> QuoteWords:
    """Return patterns that match anywhere, for languages that write words together or with prefixes."""
    return QuoteWords(*map(re.compile, patterns))


_TABLES = {
    "de": _words(
        r"link(?:s|e[mnrs]?)|linksseitig\w*|li\.?",
        r"recht(?:s|e[mnrs]?)|rechtsseitig\w*|re\.?",
        r"be[iy]derseit\w*|beidseit\w*|bds\.?|beide[mnr]?|bilateral\w*",
        r"kein\w*|nicht|ohne|fehlend\w*|ausschluss",
    ),
    "nl": _words(
        r"links|linker\w*|linkszijdig\w*", r"rechts|rechter\w*|rechtszijdig\w*",
        r"beiderzijds|bilatera\w*|beide|dubbelzijdig\w*", r"geen|niet|zonder|afwezig\w*",
    ),
    "fr": _words(
        r"gauches?", r"droite?s?", r"bilatéra\w+|bilatera\w+|(?:les|des|aux) deux",
        r"pas|sans|aucune?s?|absence|non|ni|(?:n|d)['’]\w+ pas",
    ),
    "es it pt ca": _words(
        r"izquierd[oa]s?|izdo?a?\.?|sinistr[oaie]|sn\.?|esquerd[oa]s?|esq\.?|esquerr[ea]s?",
        r"derech[oa]s?|dcho?a?\.?|destr[oaie]|dx\.?|direit[oa]s?|dir\.?|dret[ae]?s?",
        r"bilatera\w+|ambos|ambas|entramb[ie]|ambedue|bilat\.?",
        r"sin|no|ni|ausencia|sense|senza|non|assenza|né|privo|privi|sem|não|nao|ausência|ausencia|nem|nenhum\w*|ningun\w*|"
        r"nessun\w*|negativ[oa]s?",
    ),
    "ro": _words(
        r"stâng\w*|stang\w*", r"drept\w*|dreapt\w*", r"bilateral\w*|ambii|ambele", r"fără|fara|nu|absen\w+|nici",
    ),
    "sv da no": _words(
        r"vänster\w*|venstre|ve\.|vä\.|vänstersidig\w*|venstresidig\w*",
        r"höger\w*|højre|høyre|hö\.|högersidig\w*|højresidig\w*|høyresidig\w*",
        r"bilatera\w+|båda|begge|bägge|dobbeltsidig\w*|dubbelsidig\w*",
        r"ingen|inga|inget|inte|ej|utan|ikke|intet|uden|uten",
    ),
    "fi et": _words(
        r"vasem\w+|vasen|vasak\w*", r"oikea\w*|oikei\w*|parem\w*", r"molem\w+|bilatera\w+|mõlem\w*",
        r"ei|eivät|ilman|pole|puudu\w*",
    ),
    "hu": _words(r"bal|baloldali\w*", r"jobb|jobboldali\w*", r"mindkét|kétoldali\w*", r"nem|nincs\w*|nélkül|sem"),
    "tr": _words(
        r"sol\w{0,4}", r"sağ\w{0,4}|sag", r"bilateral\w*|her iki|iki taraflı",
        r"yok\w*|değil\w*|olmayan|izlenme(?:di|miş)\w*|saptanma(?:dı|mış|di)\w*|gözlenme\w+|görülme(?:di|miş)\w*|izlenmez|"
        r"\w+m[ae]mış\w*|\w+m[ae]miş\w*",
    ),
    "pl cs sk hr sl": _words(
        r"lew(?:y|a|e|ej|ego|ym|ą|o|ostronn\w+)|vlevo|lev(?:ý|á|é|ém|ého|ou|o|ostrann\w+)|vľavo|ľav\w+|lijev\w+|levo|levi|"
        r"leva|leve",
        r"praw(?:y|a|e|ej|ego|ym|ą|o|ostronn\w+)|vpravo|prav(?:ý|á|é|ém|ého|ou|o|ostrann\w+)|desn\w+",
        r"obustronn\w+|obu|obie|oba|obě|oboustrann\w+|obojstrann\w+|bilater\w+|obostran\w+",
        r"bez|brak|nie|niepowiększ\w+|nieposzerz\w+|není|nejsou|nez\w+|neroz\w+|nepr\w+|nem[aá]|nisu|nije|ne",
    ),
    "el": _words(r"αριστερ\w+", r"δεξι\w+", r"άμφω|αμφοτερόπλευρ\w+|αμφω", r"χωρίς|δεν|χωρις|ουδε\w+"),
    "ru uk bg sr": _words(
        r"лев\w+|слева|лів\w+|ліворуч|зліва|ляв\w+", r"прав\w+|справа|праворуч|десн\w+|дясн\w+",
        r"обе|обоих|обеих|обох|обидв\w+|двусторонн\w+|двобічн\w+|двустранн\w+|с обеих сторон",
        r"без|не|нет|немає|ні|ни|няма|нема|отсутств\w+|відсутн\w+",
    ),
    "zh": _parts("左", "右", "双|雙|两侧|兩側|双侧", "未|无|無|不|没有|沒有"),
    "ja": _parts("左", "右", "両", "なし|ない|無|ません|認めず|未"),
    "ko": _parts("좌|왼", "우측|우상|우하|우중|우폐|우신|오른", "양측|양쪽|양폐|양신", "없|않"),
    "ar fa": _parts(
        "يسار|يسرى|أيسر|ايسر|چپ", "يمين|يمنى|أيمن|ايمن|راست", "كلا|كلتا|الجانبين|ثنائي|دو طرف",
        "لا |بدون|خالي|عدم|ليس|لم |ندارد|نمی",
    ),
    "he": _parts("שמאל", "ימין|ימנ", "דו.?צדד", "ללא|אין|לא |בלי|שלל"),
}  # fmt: skip
_BY_LANGUAGE = {code: words for codes, words in _TABLES.items() for code in codes.split()}


def quote_words(code: str) -> QuoteWords | None:
    """Return the words of a language, None where they are not known."""
    return _BY_LANGUAGE.get(code)


def sides_in(text: str, words: QuoteWords) -> frozenset[str]:
    """Return the sides that a passage names: "left", "right"; both where it says both."""
    text = text.lower()
    if words.both.search(text):
        return frozenset(("left", "right"))
    return frozenset(side for side, pattern in (("left", words.left), ("right", words.right)) if pattern.search(text))
