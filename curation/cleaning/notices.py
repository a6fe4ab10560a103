"""Take out sentences on who was told and who read the examination: they are about people, not about the patient's CT.

Only whole sentences of a known form go, whose subject is a person or the report itself; a finding that was told to
somebody in its own sentence ("A large pneumothorax, discussed with Dr. A") stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .edits import Edit

_REPORT = (
    r"(?:(?:these|this|the|all|above|critical|urgent|emergent|important|significant|preliminary|final|unexpected|"
    r"pertinent|key|incidental|aforementioned|actionable|positive|ct)\s)*(?:findings?|results?|impression|report|case|"
    r"study|exam|examination|observations?|conclusions?|recommendations?|above)"
    r"(?:\s(?:above|and (?:recommendations?|impression)|described above|of this (?:study|exam|examination|report)))?"
)
_ROLE = (
    r"(?:physicians?|clinicians?|doctors?|providers?|team|service|nurses?|surgeons?|department|office|residents?|"
    r"radiologists?|oncologists?|ward|staff|practitioner|assistant|house officer|registrar|patient's \w+)"
)
_PERSON = (
    rf"(?:(?:dr|doctor|prof|mr|mrs|ms|nurse|pa|np|rn)\b\.?(?:\s?[A-Z][\w.'-]*,?){{0,4}}(?:,?\s(?:m\.?d\.?|r\.?n\.?|np|pa(?:-c)?|do))?"
    rf"|(?:the\s)?(?:[\w-]+\s){{0,3}}{_ROLE})"
)
_HAVE = r"(?:was|were|is|are|has been|have been|had been|will be)"
_HOW = r"(?:(?:then|also|immediately|promptly|directly|subsequently|personally|verbally|telephonically|urgently)\s)*"
_TOLD = (
    r"(?:informed|notified|called|contacted|paged|alerted|advised|made aware|told|consulted|telephoned|phoned|updated)"
)
_PASSED_ON = (
    r"(?:communicated|discussed|conveyed|relayed|reported|called|telephoned|phoned|paged|given|transmitted|notified|"
    r"reviewed|acknowledged|shared|provided|faxed|e-?mailed)"
)
_TO = r"(?:with|to|by|at|via|through|over|on|in person|verbally|directly)\b"
_FORMS = (
    rf"{_REPORT}\s(?:{_HAVE}\s)?{_HOW}{_PASSED_ON}\s{_HOW}{_TO}",
    rf"(?:{_PERSON}\s+)?{_HAVE}\s{_HOW}{_TOLD}\b",
    rf"{_PASSED_ON}\s{_HOW}(?:with|to|by|via)\b",
    rf"(?:i|we)(?:,?\s(?:the|as)\s[^.\n]{{1,60}}?,)?\s(?:have\s)?{_HOW}"
    r"(?:discussed|communicated|called|notified|informed|spoke|supervised|agree|concur|attest|certify|confirm|"
    r"(?:personally\s)?(?:reviewed|interpreted|examined|read|viewed)\s(?:(?:and|the|all|these|this|above|relevant)\s?){1,3}"
    r"(?:images?|study|report|films?|scan|examination|exam|interpret\w*|resident\w*|findings|case|agree\w*|edited))",
    r"(?:the|a|this)\s(?:critical|urgent)\s(?:result|finding)s?\s(?:call|notification|communication)\b",
    rf"as (?:the )?(?:attending|teaching|supervising|staff)\s{_ROLE}",
    r"thank you for\b",
)
# The stop of an abbreviation or of an initial does not end a sentence.
_REST = (
    r"(?:[^.!?\n]|(?<=\bdr)\.|(?<=\bmr)\.|(?<=\bms)\.|(?<=\bmrs)\.|(?<=\bprof)\.|(?<=\bst)\.|(?<=\s[a-z])\.|(?<=\bm)\.(?=d)|"
    r"\.(?=\w))*"
)
_START = r"(?:(?<=[.!?:;]\s)|(?<=[\"”•]\s)|(?<=\n)|\A)"
_NOTICE = re.compile(
    rf"{_START}[ \t]*(?:\d{{1,2}}[.)]\s)?(?:{'|'.join(_FORMS)}){_REST}(?:[.!?]+|(?=\n)|\Z)",
    re.IGNORECASE,
)
# Looked for first, in small letters.
_SIGNS = (
    "inform", "notif", "discuss", "communicat", "convey", "relay", "phone", "paged", "called", "contacted", "alerted",
    "aware", "personally", "thank you", "i have", "we have", "i agree", "reported to", "told", "faxed", "attending",
    "reviewed", "acknowledged", "given to", "consulted", "mailed", "transmitted",
)  # fmt: skip


def notice_edits(text: str) -> Iterator[Edit]:
    """Yield the edits that take notices out, each a sentence."""
    folded = text.lower()
    if any(sign in folded for sign in _SIGNS):
        for match in _NOTICE.finditer(text):
            yield Edit(match.start(), match.end(), "", "notice")
