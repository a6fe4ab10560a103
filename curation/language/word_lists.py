"""Closed lists of English words that the reading of statements depends on, each in one place."""

from __future__ import annotations

from .tokens import stem

# Words that name a property of an organ without saying how it is.
ATTRIBUTES = frozenset(
    stem(word)
    for word in (
        "size contour diameter caliber calibration width widths dimension density densities parenchyma "
        "thickness height configuration position structure wall lumen appearance shape morphology attenuation "
        "enhancement surface margin border length volume form space line intensity aeration distension level "
        "plane plan section image area region part portion zone corpus body integrity axis vascular course "
        "pattern signal status sized"
    ).split()
)


FUNCTION_WORDS = frozenset(
    "a an the of in at on to by for from as and or with into within is are was were be been being has have had there "
    "it its this that these those which who also both s mm cm millimeters millimeter centimeters".split()
)

SIDES = {
    "left": "left", "right": "right", "leftward": "left", "rightward": "right", "lt": "left", "rt": "right",
    "both": "both", "bilateral": "both", "bilaterally": "both", "either": "both",
}  # fmt: skip
ARTICLES = frozenset("the a an its their his her this that these those and of".split())
PLACE_PREPOSITIONS = frozenset(
    "near abutting neighboring neighbouring surrounding around between beneath below above under behind beside along "
    "displacing encasing indenting effacing "
    "overlying underlying towards toward paralleling vicinity neighborhood adjacency adjacent juxta superposed "
    "superimposed".split()
)
PLACE_WORDS_BEFORE_TO = frozenset(
    "adjacent next close anterior posterior lateral medial inferior superior distal proximal cranial caudal deep "
    "superficial contiguous extending extends extended parallel compared comparable relative ventral dorsal "
    "anteriorly posteriorly laterally medially inferiorly superiorly up relation reaching".split()
)
PLACE_NOUNS_BEFORE_OF = frozenset("level levels vicinity neighborhood adjacency front outside".split())
PART_ADJECTIVES = frozenset(
    "upper middle lower apical anterior posterior superior inferior lateral medial basal proximal mid distal "
    "frontal parietal temporal occipital ascending descending transverse sigmoid internal external common "
    "ethmoid maxillary sphenoid cervical thoracic lumbar main segmental lobar subsegmental hilar prevascular "
    "subcarinal paratracheal".split()
)
POSITIONS = frozenset(
    stem(word)
    for word in "upper middle lower mid apical basal anterior posterior superior inferior lateral medial proximal "
    "distal central peripheral subpleural paramediastinal side segment half pole section fossa fossae hemithorax "
    "area".split()
)
"""Stems that say where, which no denial or doubt turns round."""
LATIN_PLURALS = frozenset("bronchi hila femora humeri scapulae pleurae atria mammae".split())
ADVICE_STEMS = frozenset(
    stem(word)
    for word in "recommend advise suggest correlate should consider warranted indicated appropriate required "
    "necessary helpful useful please".split()
)


HARD_BREAKS = frozenset(
    (";", ":", ".", "(", ")", "but", "while", "whereas", "however", "although", "though", "because", "where", "•", "!")
)
SOFT_BREAKS = frozenset((",", "and", "or", "nor", "/", "&", "plus", "versus", "vs"))
VERBS = frozenset(
    "is are was were be been has have had show shows showed shown showing demonstrate demonstrates demonstrated "
    "appear appears appeared measure measures measured contain contains contained remain remains remained reveal "
    "reveals revealed seems seem do does did can could may might cannot reaches exhibits exhibit ends continues "
    "includes extends enter enters draws consists".split()
)
REPORTING_WORDS = frozenset(
    "see seen observ detect note notic identifi demonstr visual present evid appreci found find encount distinguish "
    "select determin report monitor exist discern follow recogn reveal describ mention perceiv show watch defin "
    "encounter shown track delineat depict".split()
)
AUXILIARIES = frozenset(
    "is are was were be been has have had can could do does did would will may might should there".split()
)
EARLIER_WORDS = frozenset("previous prior preced earlier old last".split())


WHEREABOUTS = frozenset(
    stem(word)
    for word in "upper middle lower mid anterior posterior superior inferior lateral medial proximal distal central "
    "peripheral cranial caudal dorsal ventral apical basal".split()
)


# What may be added to any organ or finding without saying more of it.
NEUTRAL = frozenset(
    stem(word)
    for word in "structure area region section portion zone part image plane tissue parenchyma keeping side status "
    "approximately".split()
)

PARTIAL_NAME_WORDS = frozenset(
    "right left upper middle lower anterior posterior superior inferior lateral medial apical".split()
)
