"""Words that are understood without being listed in the lexicon: general English of reports, and endings of findings.

They say nothing of how an organ is, so that a statement of them alone is not understood; beside a finding, a quality or
a word of normality they change nothing. A name that ends in ``_STEMS`` holds stems (``tokens.stem``).
"""

from __future__ import annotations

from ..tokens import stem


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


# A noun with one of these endings names a finding …
FINDING_ENDINGS = tuple(
    "itis itides oma omas omata osis oses megaly megalies ectasis ectasia ectases lithiasis malacia iasis cele celes "
    "plegia paresis rrhage rrhages listhesis pathy pathies stenosis stenoses sclerosis plasia aplasia dysplasia".split()
)
# … except for these.
NO_FINDINGS_BY_ENDING = tuple(
    "diagnosis diagnoses prognosis prognoses anastomosis anastomoses aponeurosis lordosis stoma coma".split()
)

# Findings without a nature of their own: "vacuum change", "no acute process", "Chilaiditi syndrome".
GENERAL_FINDING_STEMS = _stems(
    "lesion focus process change disease disorder syndrome abnormality pathology anomaly complication injury damage "
    "defect deformity distortion deficit alteration peculiarity particularity loss failure insufficiency reversal "
    "straightening"
)
# Before a property they say how it is: "high signal".
HEIGHT_STEMS = _stems("high low higher lower bright dark poor raised elevated reduced decreased increased diminished")
# Before a participle they tell what has happened.
PERFECT_AUXILIARIES = frozenset("has have had been having".split())
PAST_AUXILIARIES = frozenset("was were being".split())
_QUANTIFIERS = (
    "more most less least fewer few many much some several all each every both other others another any none only "
    "just quite rather very approximately about around roughly so such same similar similarly again also too single "
    "double triple multiple numerous various different certain half entire whole total overall one ones two three "
    "four five six seven eight nine ten first second third fourth fifth sixth twice once pair i ii iii iv v vi vii "
    "viii ix x th st nd rd number numbers count amount mean average maximum maximal minimum actual exact main mainly "
    "mostly predominantly primarily partly largely generally usually commonly frequently occasionally sometimes often "
    "typically relatively comparatively slightly somewhat particularly especially notably"
)
_LINKS = (
    "than as if when while where whereas whether because since due owing thus therefore hence so then that what how "
    "though although however otherwise still yet even after before during until till between among along across "
    "through throughout over under above below beyond behind beside besides towards toward onto upon off out up down "
    "near next close far together apart away per via like unlike including included excluding except according "
    "respectively versus can could may might would should will shall must made make makes please note your our his "
    "her he she him them us they you i my me patient patients case cases person"
)
_PLACES = (
    "axial sagittal coronal oblique craniocaudal cc ap transverse longitudinal outer inner deep superficial upper "
    "lower front back base apex apices top bottom tip tail head body neck dome corner corners edge center centre "
    "quadrant dorsal ventral cranial caudal rostral plantar palmar volar radial ulnar tibial fibular anterolateral "
    "posterolateral anteromedial posteromedial anteroinferior anterosuperior posteroinferior posterosuperior "
    "inferolateral superomedial superolateral inferomedial paracentral midline midlevel proximal distal floor roof "
    "ear ears arch horn limb root stem branch branches trunk chain compartment compartments station stations location "
    "localization localizations localisation position site sites place places spot point points direction distance "
    "breadth capacity proportion differentiation surrounding surroundings adjacent distribution ventricular septal "
    "cortical medullary cervical lobar lobular segmental acinar alveolar septum fissure lodge interface junction "
    "midclavicular midaxillary corticomedullary meatus cusp conus operculum pad ring crux outlet inlet orifice "
    "opening tract track path course loop fold folds leaflet leaflets"
)
_GENERAL_NOUNS = (
    "manifestation treatment therapy lot lots bit stuff couple bunch lesser greater true false widest guidance "
    "discovered depth bundle interstitium diagnosis diagnoses prognosis consideration feature features character "
    "characteristics nature manner way type types kind kinds form forms pattern degree grade stage stages scale score "
    "scores index ratio value values rate span extent range level terms term respect regard basis cause causes reason "
    "origin etiology source result results effect effects role part parts portion component components element "
    "elements unit units group groups set series list item material content contents structure structures organ "
    "organs tissue tissues substance matter object objects system systems device devices presence evidence sign signs "
    "symptom symptoms appearance appearances impression outlook picture view background setting context condition "
    "conditions situation circumstance tendency trend difference distinction comparison correlation relation "
    "relationship association connection transition formation formations development history course time times day "
    "days week weeks month months year years age date morning today january february march april june july august "
    "september october november december hour hours minute minutes"
)
_EXAMINATION = (
    "stir flair t1 t2 dwi adc swi "
    "clinical clinically laboratory lab clinic radiological radiologic radiologically radiographic imaging image "
    "images scan scans section sections slice slices window windows phase phases sequence sequences protocol "
    "technique acquisition reconstruction reformat reformatted plane planes examination examinations exam study "
    "studies review investigation evaluation assessment report reports reader opinion data information finding "
    "findings ct mri mr us usg ultrasound pet xray radiograph contrast precontrast postcontrast intravenous iv oral "
    "agent bolus injection administration dose axial quality artifact artifacts motion breath breathing respiratory "
    "movement movements supine prone decubitus dedicated additional prior previous former earlier preliminary initial "
    "initially available visible visualized assessable evaluable dictated separately elective urgent follow followup "
    "necessary needed required recommended histologic histological anatomic anatomical anatomically physiological "
    "physiologic biopsy needle"
)
_DESCRIPTIONS = (
    "typical classic classical characteristic remarkable suspicious suggestive secondary primary main common mixed "
    "pure free isolated separate distinct distinctly discrete better best good well clearly clear obvious evident "
    "apparent apparently visible active passive possible probable certain general generalised generalized special "
    "specific nonspecific particular individual respective corresponding related known described mentioned noted "
    "newly new recent recently old current currently now later early late long short large small high low soft solid "
    "thick thin wide narrow flat round oval linear concomitant accompanying associated coexisting underlying "
    "overlying based shaped like sized appearing looking facing oriented localized located situated placed positioned "
    "seated lying extending starting beginning ending reaching measuring consisting containing causing showing having "
    "being becoming became becomes using limited partial partially incomplete further"
)

GENERAL_STEMS = _stems(" ".join((_QUANTIFIERS, _LINKS, _PLACES, _GENERAL_NOUNS, _EXAMINATION, _DESCRIPTIONS)))
# Adjectives of place begin and end so: "peribronchial", "interaortocaval", "posterolateral".
PLACE_BEGINNINGS = tuple(
    "peri para inter intra extra supra infra sub retro trans endo epi juxta pre antero postero latero medio infero "
    "supero cranio pleuro pan circum".split()
)
PLACE_ENDINGS = ("al", "ar", "ic", "ial", "ean", "oid", "ine", "ally")
