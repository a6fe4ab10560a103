"""English words of reports that are no words of other languages: the evidence that a statement is English.

Words that another language of ``languages.py`` has too are left out, however frequent they are: "in" and "was" are
German as well, "no" is Spanish, "of" Dutch, "or" French, "are" Romanian, "normal" and all Latin anatomy belongs to
everyone.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words of grammar.
GRAMMAR = _words(
    "the and with without this that these those there their which who whose when where while than then been being have "
    "having does did were will would could should may might can cannot must not none neither nor either both any some "
    "each every other another such only also however although though because since if whether into within through "
    "throughout from before after between behind beyond below above under along across around about against toward "
    "towards near beside during due per its she him they them we our you your most more less least few many much "
    "several all same again still already yet now here very too well otherwise out up down upon them what how"
)
# Everyday words of reports: what is seen, how it is called, and where.
_FINDINGS = _words(
    "seen noted observed shown identified detected found described demonstrated visualized visualised appreciated "
    "evaluated examined obtained performed measured measuring measures suggested suggesting suspected considered "
    "compared recommended present absent appears appear appearing appearance shows showing showed reveals revealed "
    "suggests remains remain unchanged unremarkable normally abnormal abnormality abnormalities enlarged enlargement "
    "dilated thickened thickening thickness thickenings narrowing swelling scarring bleeding "
    "increased decreased increase decrease changes change findings finding lesions disease mass masses nodes node "
    "stone stones gallstone gallstones cyst cysts fluid fat fatty air gas bleed clot bruise tear lump growth spread "
    "size sized sizes shape shaped width height length depth amount loss lack lacking wide widened narrow thick thin "
    "small smaller smallest larger largest big bigger tiny mild mildly moderately severely slight slightly markedly "
    "grossly prominent few multiple likely unlikely probably possibly suspicious compatible consistent "
    "significant significantly approximately new newly old recent previous previously prior earlier former current "
    "currently today patchy scattered clear clearly open intact smooth sharp round rounded hollow filled filling "
    "free empty full soft hard bright dark dense light white gray grey glass ground healed healing known seems seem "
    "underlying adjacent surrounding overlying following including involving extending arising passing reaching "
    "left right upper lower middle mid inner outer front back side sided bilaterally level levels lying lies located "
    "removed replaced placed inserted taken given made follow followup scan scans views view images study limits "
    "history reason years year old male female pain fever cough weight breath heart lung lungs liver kidney kidneys "
    "spleen gallbladder bladder bowel stomach brain skull neck chest wall head breast skin muscle muscles bone bones "
    "bony rib ribs spine spinal hip hips knee shoulder ankle wrist hand foot leg arm thigh eye eyes ear ears tooth "
    "teeth tongue throat windpipe womb gut vessel vessels artery arteries vein veins valve valves lymph gland glands "
    "duct ducts tissue tissues soft body arch root tip pole lobes tube line tubes lines wire screw screws plate"
)
ENGLISH_WORDS = GRAMMAR | _FINDINGS
# Words that are English and something else as well: they speak for nothing, and are not strange either.
SHARED_WORDS = _words(
    "a an i in is it of on or to as at by be are was no so do go me my us but he his has had for normal no "
    "cm mm ct mr mri"
)
