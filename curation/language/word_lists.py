"""Closed lists of English words that the reading of reports depends on.

Words with a meaning of their own (findings, grades, cues of denial and doubt) are in ``lexicon.yaml``, units and other
words around numbers in ``measurement_words.py``, words of phases and sequences in ``imaging_words.py``, spellings in
``tokens.py``, phrases of headings in ``readers/heading_phrases.py``, names of organs in ``prompts/organs.yaml`` with
the forms of their words in ``prompts/words.py``. Here are the words of grammar. Lists that overlap stand beside each
other; where one contains another it is built from it. A name that ends in ``_STEMS`` holds stems (``tokens.stem``), any
other holds lower-case words.
"""

from __future__ import annotations

from .tokens import stem


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in text.split())


# --- Sentence ends --------------------------------------------------------------------------------------------------

# A period after one of these does not end a sentence.
ABBREVIATIONS = _words(
    "dr mr mrs ms prof st vs approx ca fig e.g i.e eg ie cf al resp incl max min dia diam inf sup ant post lat med "
    "lt rt seg vert no nr prob poss susp excl esp"
)
# After one of these, "number", a period ends no sentence where a digit follows.
NUMBER_ABBREVIATIONS = _words("no nr")
# After a unit the period is a habit of dictation, and only a capital or a new line makes it an end.
ABBREVIATED_UNITS = _words("mm cm m ml cc l hu sec min")
# A line that ends in one of these runs on into the next line.
RUN_ON_WORDS = _words(
    "a an the of in on at to and or with without from by for is are was were no not into within between both "
    "left right upper lower middle ct t l c s segment level measuring approximately about than which that"
)

# --- Words without a meaning of their own ---------------------------------------------------------------------------

# They restrict what is said to what is left: "the rest of the liver", "is otherwise normal".
REMAINDER_WORDS = _words("remainder rest remaining otherwise elsewhere")
# No term of a statement: they say nothing that a caption could lack or add.
FUNCTION_WORDS = REMAINDER_WORDS | _words(
    "a an the of in on at to by for from as and or with into within is are was were be been being has have had can "
    "there it its this that these those which who also both we do does did any s mm cm millimeters millimeter "
    "centimeters"
)
# Skipped between an organ and the preposition that makes it a place ("near the tip of her spleen").
ARTICLES = _words("the a an its their his her this that these those and of")
# They open the name of a thing: behind "displacing" follows what is displaced.
DETERMINERS = _words("the a an its their his her this that these those both")
# With one of these, a statement about an organ is about the part of it that the examination shows.
WORDS_OF_A_PART = _words(
    "visualized visualised visible imaged included scanned partially partly portion portions part parts"
)
# Skipped before "normal" in the search for what departs from it ("reversal of the normal curvature").
ARTICLES_BEFORE_NORMAL = _words("of the its")
# Left out where a part of an organ is looked for by its words ("left lobe of the thyroid").
WORDS_INSIDE_NAMES = _words("the of in")

# --- Sides and positions --------------------------------------------------------------------------------------------

# Words that state a side, with the side that they state.
SIDES = {
    "left": "left", "right": "right", "leftward": "left", "rightward": "right", "lt": "left", "rt": "right",
    "both": "both", "bilateral": "both", "bilaterally": "both", "either": "both",
}  # fmt: skip
# Adjectives that mean an organ on both sides.
BOTH_SIDES_ADJECTIVES = _words("bibasilar bibasal biapical bihilar biatrial")

_PARTS = "upper middle lower anterior posterior superior inferior lateral medial apical"
_PARTS_AND_LEVELS = f"{_PARTS} mid basal proximal distal"
_WHEREABOUTS = f"{_PARTS_AND_LEVELS} central peripheral interpolar"
# Words of which half a name consists: "right upper" of "right upper and left lower lobes" gets its whole name.
PARTIAL_NAME_WORDS = _words(f"right left {_PARTS}")
# Adjectives before the noun of a name that say which one is meant, so that a list can share the noun.
PART_ADJECTIVES = _words(
    f"{_PARTS_AND_LEVELS} frontal parietal temporal occipital ascending descending transverse sigmoid internal "
    "external common ethmoid maxillary sphenoid cervical thoracic lumbar main segmental lobar subsegmental hilar "
    "prevascular subcarinal paratracheal"
)
# Endings of ordinal numbers, tokens of their own: "7 th".
ORDINAL_ENDINGS = _words("st nd rd th")
ORDINALS = _words("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
# Whereabouts that a caption may give an organ only where its name or the evidence has them: "medial crus".
WHEREABOUTS_STEMS = _stems(f"{_WHEREABOUTS} cranial caudal dorsal ventral")
# Adjectives of an organ with one of these name a part of it or what lies around it: "endobronchial", "perirenal".
PLACE_PREFIXES = tuple("endo extra peri para sub supra infra retro trans".split())
# Adjectives that name all that lies in a cavity of the body: the brain is not all of what is intracranial.
CAVITY_ADJECTIVES = _words("intracranial intrathoracic intraabdominal intrapelvic intraspinal intraorbital")
# Nouns of a part of any organ, and words by which it is only partly seen.
SECTION_STEMS = _stems("pole part portion half halves third tip aspect partially partly")
# By these one organ is told from another of its kind in the same patient: "the native kidneys".
TRANSPLANT_STEMS = _stems("transplant transplanted allograft graft grafted donor")
ORIGIN_STEMS = TRANSPLANT_STEMS | _stems("native")
# Words that only say where: no denial or doubt turns them round, and they are no finding.
POSITION_STEMS = _stems(
    f"{_WHEREABOUTS} subpleural paramediastinal side segment half pole section fossa fossae hemithorax area"
)

# --- Spelling -------------------------------------------------------------------------------------------------------

# Stems of operations and examinations end in these, and differ in little else: "thoracotomy", "thoracostomy".
OPERATION_ENDINGS = ("tomi", "stomi", "scopi", "gram", "graphi", "plasti")

# --- Places: an organ relative to which something else is described --------------------------------------------------

PLACE_PREPOSITIONS = _words(  # before an organ, they make it a place: "beneath the liver"
    "near outside abutting touching contacting neighboring neighbouring surrounding around between beneath below "
    "above under behind beside along displacing encasing indenting effacing compressing compresses displaces indents "
    "effaces abuts touches contacts encases deforming deforms overlying underlying towards toward "
    "paralleling vicinity neighborhood adjacency adjacent juxta superposed superimposed"
)
# Those that are adjectives too: "The adjacent liver is normal" is about the liver.
PLACE_ADJECTIVES = _words("adjacent surrounding neighboring neighbouring overlying underlying")
# With one of these behind them ("adjacent to", "extending into"), the words below make an organ a place.
PREPOSITIONS_AFTER_PLACE_WORDS = _words("to into with")
PLACE_WORDS_BEFORE_TO = _words(
    "extension adjacent next close anterior posterior lateral medial inferior superior distal proximal cranial caudal "
    "deep superficial contiguous extending extends extended parallel compared comparable relative ventral dorsal "
    "contact anteriorly posteriorly laterally medially inferiorly superiorly up relation reaching"
)
_LEVEL_NOUNS = "level levels"
# Behind an organ, they make it a place: "at the L4 level".
LEVEL_NOUNS = _words(_LEVEL_NOUNS)
# Before "of" and an organ, they make it a place: "in the vicinity of the spleen".
PLACE_NOUNS_BEFORE_OF = _words(f"{_LEVEL_NOUNS} vicinity neighborhood adjacency front outside")

# Between these, a place is named that is known to be so: "(no stone) within the collapsed bladder".
PLACE_OPENERS = _words("in within inside on at of throughout along from around near into")
DEFINITE_ARTICLES = _words("the this these its his her")

# --- Names of organs that behave in a way of their own ---------------------------------------------------------------

_SEROUS_CAVITIES = frozenset(("pleura", "pericardium", "peritoneum"))
# Fluid and air lie between the leaves of these: "around the pericardium" is in it, so that they are never a mere place.
NEVER_A_PLACE = _SEROUS_CAVITIES | {"left pleura", "right pleura"}
# A finding that implies one of these is about it, also where another organ is named: "pneumothorax in the left lung".
IMPLIED_BESIDE_ANOTHER = _SEROUS_CAVITIES | {"lymph nodes", "spinal canal", "aorta", "bronchi"}
# Plurals that end in no "s".
LATIN_PLURALS = _words("bronchi hila femora humeri scapulae pleurae atria mammae")
# Words that name lymph nodes and a finding of them at once.
ADENOPATHY = _words("lymphadenopathy lymphadenopathies adenopathy adenopathies adenomegaly adenomegalies lap laps")
# Behind the adjective of a station they name its place: "hilar regions".
PLACE_NOUNS = _words("region regions area areas station stations chain chains group groups level levels space spaces")
# Before "lymph nodes" they name no station.
NO_STATION = _words("enlarged pathological lymph other")

# --- Properties -----------------------------------------------------------------------------------------------------

# They name a property of an organ without saying how it is.
ATTRIBUTE_STEMS = _stems(
    "size contour diameter caliber calibration width widths dimension density densities parenchyma "
    "thickness height configuration position structure wall lumen appearance shape morphology attenuation "
    "enhancement surface margin border length volume form space line intensity aeration distension level "
    "plane plan section image area region part portion zone corpus body integrity axis vascular course "
    "pattern signal status sized"
)
# They may be added to any organ or finding without saying more of it.
NEUTRAL_STEMS = _stems(
    "structure area region section portion zone part image plane tissue parenchyma keeping side status approximately "
    "focus formation gland"
)
# Behind the name of an organ, a part of it or what an operation left: "gallbladder fundus", "appendiceal stump".
PARTS_AND_REMAINS_STEMS = _stems("bed lodge stump fundus neck cavity capsule remnant")
# Nouns that name no finding of their own behind its adjective: "inflammatory change".
GENERIC_FINDING_STEMS = _stems("lesion process change disease focus formation abnormality pathology appearance")
# Before "normal", they say that something departs from it: "larger than normal", "loss of the normal lordosis".
DEPARTURES = _words("reversal loss straightening than above below beyond more less outside exceeding")

# Beside a device they say no more than its place: "an indwelling catheter", "containing a stent".
LYING_STEMS = _stems("containing lying lies located indwelling in situ place placed positioned residing present")
# They say that a finding is in the organ that follows, or in the organ before: "involving the liver", "the liver has".
INVOLVING_STEMS = _stems("involving affecting occupying")
# Between a finding and an organ, they say that it is in there; "compressing", "contacting" and "of" do not.
INSIDE_PREPOSITIONS = _words("in within inside throughout")
HOLDING_STEMS = _stems("containing harboring harbouring bearing holding hosting")
# Where a device ends: "with its tip at", "terminating in".
ENDING_STEMS = _stems("tip tips terminates ends ending")

# --- Conjunctions and other breaks -----------------------------------------------------------------------------------

# They join the members of a list that share a predicate.
LIST_JOINERS = frozenset((",", "and", "or", "nor", "/", "&", "plus"))
# They join coordinated names ("right upper and lower lobes") and stations of lymph nodes.
NAME_JOINERS = (LIST_JOINERS - {"plus"}) | {"-", "to"}
# After one of these, a segment may take its side from the organ before: "left upper, lower lobe".
SIDE_JOINERS = LIST_JOINERS - {"nor", "&", "plus"}
# Before what follows, they show that a segment without a verb is listed with it.
COORDINATORS = _words("and or")
# One of what they join is there, but neither is affirmed.
ALTERNATIVES = _words("or versus vs")
# A hedge reaches over these: "likely a mixed tumor (adenoma)".
HEDGE_EXTENDERS = ALTERNATIVES | {"/", "(", ")"}
# Breaks between segments: soft ones may stand inside the reach of a cue, hard ones end it.
SOFT_BREAKS = LIST_JOINERS | ALTERNATIVES
HARD_BREAKS = frozenset(
    (";", ":", ".", "(", ")", "but", "while", "whereas", "however", "although", "though", "because", "where", "•", "!")
)
# Behind one of these, a segment goes on about no finding of the segment before.
SENTENCE_BREAKS = frozenset((";", "."))
# Between two denials, they make them denials of two clauses.
CLAUSE_ENDS = HARD_BREAKS | {","}
# A list of stations of lymph nodes ends here.
STATION_LIST_ENDS = frozenset(
    (";", ":", ".", "but", "which", "while", "with", "without", "however", "adjacent", "level")
)
# A caption may be cut before one of these, its halves carried by two segments.
ACCOMPANIMENTS = _words("with without")
# Behind one of these, a segment gives the reason for the segment before.
REASON_JOINERS = frozenset(("because", "since", "("))

# --- Verbs ----------------------------------------------------------------------------------------------------------

_AUXILIARIES = "is are was were be been has have had can could do does did may might"
# They stand between a finding and the "not" that denies it, and are no words of what is denied.
AUXILIARIES = _words(f"{_AUXILIARIES} would will should there")
# Finite verbs: a segment with one has a predicate of its own.
VERBS = _words(
    f"{_AUXILIARIES} show shows showed shown showing demonstrate demonstrates demonstrated appear appears appeared "
    "measure measures measured contain contains contained remain remains remained reveal reveals revealed seems seem "
    "cannot reaches exhibits exhibit ends continues includes extends enter enters draws consists look looks"
)
# As the subject of a clause, they stand for that of the clause before.
SUBJECT_PRONOUNS = _words("it they which that")
# Between a subject and what is said of it: "the loops are mildly dilated".
COPULAS = _words("is are was were be been appear appears appeared remain remains remained seem seems look looks")
# A word with one of these endings says how something is and names nothing: "degenerative", "congenitally".
ADJECTIVE_ENDINGS = ("ed", "ly", "ive", "ical", "enital", "ic", "ous", "ular", "inate", "ible", "able")
# Verbs of seeing: "was not seen" denies what was to be seen, and "is seen" says nothing of its quality.
REPORTING_STEMS = _words(
    "see seen observ detect note notic identifi demonstr visual present evid appreci found find encount distinguish "
    "select determin report monitor exist discern follow recogn reveal describ mention perceiv show watch defin "
    "encounter shown track delineat depict"
)
# Verbs of change: before "in" or "compared" they end what a cue denies ("no change in the nodule").
CHANGE_STEMS = _words("chang differ increas decreas progress growth interv regress improv worsen")
PREPOSITIONS_AFTER_CHANGE = _words("in of compared relative since from as with")
# They open a phrase that only says when or where a sentence holds: "On today's examination, …".
FRAME_OPENERS = _words("in on at as for during within since by from this")
# They open a clause of their own behind a comma.
CLAUSE_OPENERS = _words("there a an it this these those he she they")

# --- Denial ---------------------------------------------------------------------------------------------------------

# Bare denials whose reach depends on the words around them.
NOT_WORDS = _words("not cannot n't")
# They stand between "not" and the verb of seeing: "was not clearly seen".
ADVERBS_AFTER_NOT = _words(
    "be been any clearly definitely convincingly longer yet otherwise readily well significantly obviously "
    "certainly currently now optimally"
)
# They deny what follows ("no enlarged nodes", not "enlarged nodes no").
DENIALS_BEFORE = _words("no without")
# A phrase that begins so denies, even where the lexicon lists it as one of normality.
DENIALS = DENIALS_BEFORE | {"not", "never"}
# A phrase of the lexicon that begins so means the opposite of, or less than, its other words.
REVERSING_PREFIX_STEMS = (DENIALS - {"never"}) | _words(
    "non un sub semi part partial near pre post less free lack absenc loss"
)
# Beginnings that turn a word round, each with what stands in its place in the opposite: "irregular", "hypodense".
OPPOSED_BEGINNINGS = (
    *((beginning, "") for beginning in ("un", "non", "in", "im", "ir", "il", "dis", "ab", "an")),
    ("hyper", "hypo"), ("intra", "extra"), ("pre", "post"), ("hetero", "homo"), ("macro", "micro"), ("endo", "exo"),
    ("over", "under"), ("supra", "infra"), ("in", "out"), ("in", "ex"), ("pro", "re"), ("tachy", "brady"),
)  # fmt: skip
# Endings that do.
OPPOSED_ENDINGS = ("less", "free")
# With a verb of assessment, they say that an examination could not show something.
LIMITATION_STEMS = _words("not cannot could suboptim limit")
ASSESSMENT_STEMS = _stems("evaluated assessed characterized performed")

# --- Time and examination -------------------------------------------------------------------------------------------

# Before the word for an examination, they make it an earlier one.
EARLIER_EXAMINATION_STEMS = _stems("previous prior earlier old last")
EXAMINATION_STEMS = _stems("examination exam study ct scan tomography review mri mr ultrasound radiograph cta")
# Behind "was not seen", they say that nothing is denied today.
EARLIER_STEMS = EARLIER_EXAMINATION_STEMS | {"preced"}
# Near a number, they make it one of an earlier examination.
EARLIER_BY_A_NUMBER = _words(
    "previously formerly prior previous prev earlier initially past compared old baseline preceding used"
)
# They say that a finding is there today, so that "previously" may be left off.
PRESENT_TIME = _words("now current currently today still")

# --- Advice ---------------------------------------------------------------------------------------------------------

# A segment with one of these recommends.
ADVICE_STEMS = _stems(
    "recommend advise suggest correlate should consider warranted indicated appropriate required necessary helpful "
    "useful please"
)
