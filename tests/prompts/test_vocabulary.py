"""The anatomy vocabulary: its coverage, its checks, and the matcher."""

import csv
import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prompts.vocabulary import Vocabulary, load_vocabulary

RIBS = [f"rib_{side}_{number}" for side in ("left", "right") for number in range(1, 13)]
VERTEBRAE = [f"vertebrae_{region}{n}" for region, last in (("C", 7), ("T", 12), ("L", 5)) for n in range(1, last + 1)]
BOTH_VERSIONS = [
    *RIBS, *VERTEBRAE,
    *"""
spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right adrenal_gland_left
lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right
esophagus trachea small_bowel duodenum colon urinary_bladder sacrum aorta inferior_vena_cava
portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right iliac_vena_left iliac_vena_right humerus_left
humerus_right scapula_left scapula_right clavicula_left clavicula_right femur_left femur_right hip_left hip_right
gluteus_maximus_left gluteus_maximus_right gluteus_medius_left gluteus_medius_right gluteus_minimus_left
gluteus_minimus_right autochthon_left autochthon_right iliopsoas_left iliopsoas_right brain
""".split(),
]  # fmt: skip
ONLY_VERSION_2 = """
thyroid_gland prostate kidney_cyst_left kidney_cyst_right vertebrae_S1 heart pulmonary_vein brachiocephalic_trunk
subclavian_artery_right subclavian_artery_left common_carotid_artery_right common_carotid_artery_left
brachiocephalic_vein_left brachiocephalic_vein_right atrial_appendage_left superior_vena_cava spinal_cord skull sternum
costal_cartilages
""".split()
ONLY_VERSION_1 = """
heart_myocardium heart_atrium_left heart_ventricle_left heart_atrium_right heart_ventricle_right pulmonary_artery face
""".split()
# Where reports look for lymph nodes: said without a noun, the adjective is a place.
STATIONS = """
mediastinal hilar axillary supraclavicular infraclavicular retropectoral prevascular paratracheal pre-paratracheal
pretracheal subcarinal precarinal aortopulmonary aorticopulmonary paraesophageal paracardiac cardiophrenic retrocrural
retroperitoneal para-aortic aortocaval interaortocaval paracaval gastrohepatic periportal perigastric peripancreatic
splenic mesenteric mesorectal pelvic inguinal cervical abdominal
""".split()


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def names(vocabulary: Vocabulary, text: str) -> list[str]:
    return ["+".join(mention.names) for mention in vocabulary.find(text)]


def test_version_2_has_117_classes_and_version_1_has_104() -> None:
    assert len({*BOTH_VERSIONS, *ONLY_VERSION_2}) == 117
    assert len({*BOTH_VERSIONS, *ONLY_VERSION_1}) == 104


@pytest.mark.parametrize("label", [*BOTH_VERSIONS, *ONLY_VERSION_2, *ONLY_VERSION_1])
def test_every_totalsegmentator_class_is_an_organ(vocabulary: Vocabulary, label: str) -> None:
    organ = vocabulary.organs[vocabulary.resolve(label) or label]
    assert (label in organ.totalsegmentator) == (label not in ONLY_VERSION_1)
    assert (label in organ.totalsegmentator_v1) == (label not in ONLY_VERSION_2)
    assert organ.name == vocabulary.resolve(label.upper())


def test_no_other_classes_are_named(vocabulary: Vocabulary) -> None:
    organs = vocabulary.organs.values()
    assert {label for o in organs for label in o.totalsegmentator} == {*BOTH_VERSIONS, *ONLY_VERSION_2}
    assert {label for o in organs for label in o.totalsegmentator_v1} == {*BOTH_VERSIONS, *ONLY_VERSION_1}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_published_class_lists_are_covered(vocabulary: Vocabulary, shared_data: Path, version: str) -> None:
    file = shared_data / f"lexicons/totalsegmentator/classes_totalsegmentator_{version}.json"
    labels = json.loads(file.read_text(encoding="utf-8"))["labels"].values()
    assert [label for label in labels if vocabulary.resolve(label) is None] == []


def test_snomed_codes_are_those_of_the_sources(vocabulary: Vocabulary, shared_data: Path) -> None:
    with (shared_data / "lexicons/totalsegmentator/totalsegmentator_snomed_mapping.csv").open(encoding="utf-8") as rows:
        mapping = {row[0]: row[5] for row in csv.reader(rows)}
        rows.seek(0)
        codes = {code for row in csv.reader(rows) for code in (row[5], row[11])}
    uberon = (shared_data / "lexicons/uberon/efo-slim.obo").read_text(encoding="utf-8")
    for organ in vocabulary.organs.values():
        for label in (*organ.totalsegmentator, *organ.totalsegmentator_v1):
            assert organ.snomed == mapping[label], label
        assert organ.snomed is None or organ.snomed in codes or f"SCTID:{organ.snomed}\n" in uberon, organ.name


def test_ancestors_climb_to_the_system(vocabulary: Vocabulary) -> None:
    assert {"kidneys", "urinary system", "abdomen"} <= vocabulary.ancestors("left kidney")
    assert {"right lung", "lungs", "respiratory system", "chest"} <= vocabulary.ancestors("right upper lobe")
    assert {"left ribs", "ribs", "skeleton"} <= vocabulary.ancestors("left 3rd rib")
    assert "left kidney" in vocabulary.descendants("urinary system")
    assert vocabulary.related("left kidney", "kidneys")
    assert vocabulary.related("kidneys", "left kidney")
    assert vocabulary.related("liver", "liver")
    assert not vocabulary.related("left kidney", "right kidney")


def test_sides_and_their_group_agree(vocabulary: Vocabulary) -> None:
    assert vocabulary.sided("kidneys") == ("left kidney", "right kidney")
    assert vocabulary.sided("liver") is None
    for group in vocabulary.organs.values():
        for side, name in zip(("left", "right"), group.sides or (), strict=False):
            assert vocabulary.organs[name].side == side
            assert group.name in vocabulary.organs[name].parents


def test_every_term_is_found_as_the_organ_it_stands_for(vocabulary: Vocabulary) -> None:
    for organ in vocabulary.organs.values():
        for term in (*organ.nouns, *organ.adjectives):
            assert [mention.text for mention in vocabulary.find(term)] == [term]
            assert organ.name in vocabulary.find(term)[0].names


def test_terms_are_names_that_a_person_would_say(vocabulary: Vocabulary) -> None:
    assert vocabulary.organs["left kidney"].terms[0] == "left kidney"
    assert {"right upper lobe", "RUL", "upper lobe of the right lung"} <= {*vocabulary.organs["right upper lobe"].terms}
    assert {"L4 vertebra", "L4", "fourth lumbar vertebra"} <= {*vocabulary.organs["L4 vertebra"].terms}
    assert "left kidneys" not in vocabulary.organs["left kidney"].terms
    with pytest.raises(KeyError):
        vocabulary.sided("flux capacitor")


@pytest.mark.parametrize(
    ("noun", "organ", "relation"),
    [
        ("dens", "C2 vertebra", "narrower"),
        ("cricoid cartilage", "larynx", "narrower"),
        ("mandibular ramus", "mandible", "narrower"),
        ("ramus of the mandible", "mandible", "narrower"),
        ("neck of the gallbladder", "gallbladder", "narrower"),
        ("L4 vertebral body", "L4 vertebra", "narrower"),
        ("left femoral shaft", "left femur", "narrower"),
        ("femoral shaft left", "left femur", "narrower"),
        ("lateral limb of the left adrenal gland", "left adrenal gland", "narrower"),
        ("scaphoid", "carpal bones", "narrower"),
        ("upper lobe apical subsegment", "upper lobe apical segments", "narrower"),
        ("intracranial contents", "brain", "broader"),
        ("vertebrobasilar artery", "basilar artery", "broader"),
        ("pancreatic bed", "pancreas", "related"),
        ("ligament of Treitz", "duodenum", "related"),
        ("pleural space", "pleura", "related"),
        ("L4", "L4 vertebra", None),
        ("small bowel loops", "small bowel", None),
        ("axis vertebra", "C2 vertebra", None),
    ],
)
def test_a_part_a_group_and_a_neighbour_are_filed_under_an_organ_and_no_synonyms(
    noun: str, organ: str, relation: str | None, vocabulary: Vocabulary
) -> None:
    assert organ in (vocabulary.resolve(noun), vocabulary.resolve_in_any_order(noun))
    assert vocabulary.relation_of(noun) == relation
    assert (noun in vocabulary.organs[organ].terms) == (relation is None)


def test_no_noun_is_both_a_synonym_and_none(vocabulary: Vocabulary) -> None:
    for organ in vocabulary.organs.values():
        others = {*organ.narrower, *organ.broader, *organ.related}
        assert not others & {*organ.terms}, organ.name
        assert all(vocabulary.relation_of(term) is None for term in organ.terms[1:]), organ.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Left kidney, LT kidney, l kidney; kidney left, kidney_left.", ["left kidney"] * 5),
        ("Both kidneys and the bilateral renal cortex", ["kidneys", "renal cortices"]),
        ("renal cyst, left renal cyst, left-sided renal cyst", ["kidneys", "left kidney", "left kidney"]),
        ("kidney cysts", ["kidneys"]),
        ("lung: right upper lobe; lung - right upper lobe", ["lungs", "right upper lobe", "right upper lobe"]),
        ("lungs\n\nright upper lobe", ["lungs", "right upper lobe"]),
        ("both lung\nparenchyma", ["lungs"]),
        ("RUL, RML, LLL, SVC, IVC, CBD, SMA, LAD",
         ["right upper lobe", "right middle lobe", "left lower lobe", "superior vena cava", "inferior vena cava",
          "common bile duct", "superior mesenteric artery", "left anterior descending artery"]),
        ("delivery of livery, prehepatics", []),
        ("right 3rd rib, third left rib, rib 4, 5th ribs",
         ["right 3rd rib", "left 3rd rib", "4th rib", "5th rib"]),
        ("L4-5, L4/5, L4 - L5, L4-L5 disc, L5-S1, T12-L1",
         ["L4-L5 disc"] * 4 + ["L5-S1 disc", "T12-L1 disc"]),
        ("L4 5 mm; L4 5.5 cm; segment 4 mm; L4", ["L4 vertebra", "L4 vertebra", "L4 vertebra"]),
        ("L4 vertebral corpus height, dorsal 7 vertebra, D8 vertebra",
         ["L4 vertebra", "T7 vertebra", "T8 vertebra"]),
        ("T2 hyperintensity; T2 signal; the T2 vertebra", ["T2 vertebra"]),
        ("oesophagus, caecum, coeliac axis, disk, grey matter",
         ["esophagus", "cecum", "celiac artery", "intervertebral discs", "gray matter"]),
        ("femora, pleurae, hila, bronchi, vertebrae, axillae, foramina",
         ["femora", "pleura", "hila", "bronchi", "vertebrae", "axillae", "neural foramina"]),
        ("the common carotids; left common carotid", ["common carotid arteries", "left common carotid artery"]),
        ("mediastinal main vascular structures; main bronchi; surrenal gland",
         ["mediastinal vessels", "main bronchi", "adrenal glands"]),
        ("right lung lower lobe superior segment; superior segment of lower lobe of the right lung",
         ["right lower lobe superior segment"] * 2),
        ("inferior lingular segment of the left upper lobe; lingular segment",
         ["lingula inferior segment", "lingula"]),
        ("thoracolumbar spine; intra- and extrahepatic bile ducts",
         ["thoracic spine+lumbar spine", "intrahepatic bile ducts+extrahepatic bile ducts"]),
        ("head of the pancreas; femoral head; CT of the head", ["pancreatic head", "femoral heads", "head"]),
        ("liver segment 4b, segment VII", ["liver segment 4", "liver segment 7"]),
        ("renal pelvis; the pelvis", ["renal pelves", "pelvis"]),
        ("soft tissue density in the left lower lobe; soft tissues",
         ["left lower lobe", "soft tissues"]),
        ("left frontoparietal", ["left frontal lobe+left parietal lobe"]),
        ("GE junction, gastro-oesophageal junction", ["esophagogastric junction"] * 2),
        ("port catheter, metallic sutures, a pacemaker", ["port catheter", "sutures", "pacemaker"]),
    ],
)  # fmt: skip
def test_find(vocabulary: Vocabulary, text: str, expected: list[str]) -> None:
    assert names(vocabulary, text) == expected


@pytest.mark.parametrize(
    ("text", "organ"),
    [
        ("para-aortic", "aorta"), ("para aortic fat", "aorta"), ("periaortic", "aorta"), ("retro-aortic", "aorta"),
        ("perihepatic fluid", "liver"), ("peri-hepatic fluid", "liver"), ("subhepatic", "liver"),
        ("perinephric stranding", "kidneys"), ("perirenal", "kidneys"), ("pericholecystic", "gallbladder"),
        ("peripancreatic", "pancreas"), ("paravertebral", "vertebrae"), ("peribronchial", "bronchi"),
        ("subpleural", "pleura"), ("retrosternal", "sternum"), ("perisplenic", "spleen"), ("extra-cardiac", "heart"),
        ("para-aortic lymph nodes", "aorta"), ("non-cardiac", "heart"), ("post-renal", "kidneys"),
    ],
)  # fmt: skip
def test_a_place_near_an_organ_is_not_the_organ(vocabulary: Vocabulary, text: str, organ: str) -> None:
    for mention in vocabulary.find(text):
        assert organ not in mention.names
        assert not {organ} & vocabulary.ancestors(mention.names[0])


def test_para_aortic_lymph_nodes_only_with_the_nodes(vocabulary: Vocabulary) -> None:
    assert names(vocabulary, "para-aortic lymph nodes") == ["para-aortic lymph nodes"]
    assert names(vocabulary, "para-aortic") == ["para-aortic region"]
    assert vocabulary.organs["para-aortic region"].region


@pytest.mark.parametrize("station", STATIONS)
def test_a_station_with_lymph_nodes_behind_it_is_known(vocabulary: Vocabulary, station: str) -> None:
    nodes = vocabulary.resolve(f"{station} lymph nodes")
    assert nodes is not None
    assert vocabulary.related(nodes, "lymph nodes")
    assert nodes != "lymph nodes"
    assert names(vocabulary, f"{station} lymphadenopathy") != [nodes]
    assert [m.names for m in vocabulary.find(f"{station} lymphadenopathy", findings=True)] == [(nodes,)]


def test_mentions_tell_nouns_adjectives_and_findings_apart(vocabulary: Vocabulary) -> None:
    liver, hepatic, coronaries, coronary = vocabulary.find("the liver; hepatic cyst; coronaries; coronary stenosis")
    assert (liver.adjective, hepatic.adjective, coronaries.adjective, coronary.adjective) == (False, True, False, True)
    assert (liver.start, liver.end, liver.text) == (4, 9, "liver")
    assert vocabulary.find("Lymphadenopathy.") == []
    (finding,) = vocabulary.find("Lymphadenopathy.", findings=True)
    assert finding.finding
    assert finding.names == ("lymph nodes",)


def test_resolve(vocabulary: Vocabulary) -> None:
    assert vocabulary.resolve("LEFT Kidney") == "left kidney"
    assert vocabulary.resolve("para aortic lymph-nodes") == "para-aortic lymph nodes"
    assert vocabulary.resolve("hepatic") == "liver"
    assert vocabulary.resolve("Left kidney cyst") == "left kidney cyst"
    # Labels of joined words.
    assert vocabulary.resolve("SpinalCord") == "spinal cord"
    assert vocabulary.resolve("RightParotid_gland") == "right parotid gland"
    assert vocabulary.resolve("thoracolumbar spine") is None
    assert vocabulary.resolve("lymphadenopathy") is None
    assert vocabulary.resolve("flux capacitor") is None
    assert vocabulary.resolve("") is None


def test_the_shipped_vocabulary_is_loaded_once() -> None:
    assert load_vocabulary() is load_vocabulary()


TERMS = sorted({term for organ in load_vocabulary().organs.values() for term in organ.terms})
# Words that are in no term, also not as a plural or a prefix.
FILLER = st.lists(st.sampled_from("zyx quux Grault wibble. flob, 42.5; (plugh) xyzzy: narf! ÄÖÜ İstanbul".split()))


@given(before=FILLER, term=st.sampled_from(TERMS), after=FILLER, upper=st.booleans())
def test_a_term_is_found_among_any_words(before: list[str], term: str, after: list[str], upper: bool) -> None:
    written = term.upper() if upper else term
    text = " ".join([*before, written, *after])
    (mention,) = load_vocabulary().find(text)
    assert text[mention.start : mention.end] == mention.text == written
    assert mention.names == load_vocabulary().find(term)[0].names


@given(term=st.sampled_from([term for term in TERMS if term.isalpha()]), more=st.text(string.ascii_lowercase))
def test_a_term_inside_a_longer_word_is_not_found(term: str, more: str) -> None:
    for word in (f"q{term}", f"{term}q{more}"):
        assert load_vocabulary().find(word) == []


ODD_WORDS = st.sampled_from(["left", "para", "sided", "post-", "-", "\n", "L4", "5", "mm", "İ"])


@given(st.lists(st.one_of(st.sampled_from(TERMS), ODD_WORDS, st.text(max_size=12))))
def test_mentions_are_in_order_and_hold_their_text(parts: list[str]) -> None:
    text = " ".join(parts)
    end = 0
    for mention in load_vocabulary().find(text, findings=True):
        assert end <= mention.start < mention.end
        assert text[mention.start : mention.end] == mention.text
        assert all(name in load_vocabulary().organs for name in mention.names)
        end = mention.end


def test_a_group_gives_its_sides_their_names(tmp_path: Path) -> None:
    path = tmp_path / "organs.yaml"
    path.write_text("lungs: {sides: [left lung, right lung], terms: [lung], adjectives: [pulmonary]}", encoding="utf-8")
    vocabulary = load_vocabulary(path)
    assert vocabulary.organs["left lung"].parents == ("lungs",)
    assert vocabulary.organs["left lung"].terms == ("left lung",)
    for text in ("left lung", "LT lung", "lung left", "left pulmonary", "left-sided lungs"):
        assert names(vocabulary, text) == ["left lung"]
