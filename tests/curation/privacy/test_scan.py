"""What the check finds in texts of our own, and what it must leave alone."""

from __future__ import annotations

import time

import pytest

from curation.cleaning.redaction_marks import IDENTITY_MARK as MARK
from curation.privacy.identifiers import Identifier, IdentifierKind
from curation.privacy.scan import apart, blanked, identifiers_in

# A text, with each identifier in «», and the kinds in their order.
FOUND = [
    # names: titles
    ("Discussed with Dr. «Okonkwo» at the time of dictation.", "name"),
    ("Dr «Maria Lindqvist» was informed by phone.", "name"),
    ("Findings were told to Mrs. «O'Hara» and her daughter.", "name"),
    ("Mr. «J. P. van den Berg» has had a fall.", "name"),
    ("Prof. Dr. «Aylin ÖZKAN» approves.", "name"),
    ("Assoc.Prof.Dr.«Émile Çelik» Radiology", "name"),
    ("Drs. «Hartley», «Singh» and «de la Cruz» agree.", "name name name"),
    ("Ms. «Smith-Jones» returns for follow-up.", "name"),
    ("called to dr. «patel» at 4 pm", "name"),
    ("DISCUSSED WITH DR. «OKAFOR» AT 10:30.", "name"),
    ("RESULTS GIVEN TO DR. «LEE». THE LIVER IS NORMAL.", "name"),
    ("Doctor «Nguyen» requested it.", "name"),
    ("Nurse «Adams» was told.", "name"),
    ("The results were given to Dr.\n«Feldman» on the phone.", "name"),
    # names: labels
    ("Patient Name: «Doe, Jane A.»\nExam: CT chest", "name"),
    ("PATIENT: «MORRISON, KEITH»   SEX: M", "name"),
    ("Name: «john miller»", "name"),
    ("Patient's name: «Lopez Garcia» MRN: «4471129»", "name record_number"),
    ("Referring physician: «A. Kowalski»", "name"),
    ("ORDERING PROVIDER: «GRANT, PETER»", "name"),
    ("Radiologist: «Susan Brightman», MD", "name"),
    ("Technologist: «K. Doyle»", "name"),
    ("Electronically signed by: «Thomas Reed»", "name"),
    ("Electronically signed by «Thomas Reed» MD on «01/02/2021» at 12:04", "name date"),
    ("Dictated by «Vasquez»", "name"),
    ("DICTATED BY: «P. OYELARAN»", "name"),
    ("Transcribed by «Lowell».", "name"),
    ("Read and signed by «Helen Park».", "name"),
    ("Reported by: «Iversen, Nils»", "name"),
    ("Reviewed by «Anna Petrova», attending radiologist", "name"),
    ("These findings were discussed with «Karen Whitfield» at 14:10.", "name"),
    ("The result was communicated by telephone to «Paul Andersen», who agreed.", "name"),
    ("We notified «Greta Holm» of the finding.", "name"),
    ("Dear «Hannah»,", "name"),
    ("«Peter Novak», M.D.", "name"),
    ("«Li Wei», MBBS, FRCR", "name"),
    ("Resident «Elena Marsh» MD agrees.", "name"),
    ("«ROBERTSON^ALAN^J»", "name"),
    ("Interpreting physician - «Joan Alder»\nFINDINGS: none", "name"),
    ("Pt. name: «Alder, Joan»", "name"),
    ("Ref. Dr.: «Mehta»", "name"),
    ("Ref By: «Sunil Mehta»", "name"),
    ("Seen by Dr. (Mrs.) «Rao».", "name"),
    ("Smt. «Kamala Devi» was scanned.", "name"),
    ("Interpreted by the attending radiologist «Joan Alder».", "name"),
    ("Discussed with the ordering physician «Marc Duval» at 3:45 PM.", "name"),
    ("The patient, «Joan Alder», was scanned.", "name"),
    ("I, «Omar Haddad», M.D., have reviewed the images.", "name"),
    ("Told to Dr. <b>«Smith»</b> and Dr.&nbsp;«Brown»", "name name"),
    (r"MRN: «4471129»\.br\DR. \.br\«SMITH»\.br\FINDINGS", "record_number name"),
    # dates
    ("Comparison: CT of «03/14/2019».", "date"),
    ("compared with «07.02.2022» and «07.02.22»", "date date"),
    ("on «2021-11-05» at 08:30", "date"),
    ("Study «2021/11/05», CT", "date"),
    ("seen «3-9-2020» already", "date"),
    ("since «04/30/07» at 1715 h", "date"),
    ("Prior from «March 5, 2018».", "date"),
    ("Prior from «5 March 2018» and «Sept. 3rd, 2017».", "date date"),
    ("Prior from «June 2016»", "date"),
    ("unchanged since the «12th of April 2015»", "date"),
    ("CT «05-MAR-2024»", "date"),
    ("CT «05MAR2024» 11:20", "date"),
    ("CT dated «20190611»", "date"),
    ("on «Oct 17»", "date"),
    ("by «May 5th»", "date"),
    ("prior of «11/2019»", "date"),
    ("DOB: «1/2/1950»", "date"),
    ("COMPARISON: «JANUARY 4, 2020».", "date"),
    ("imported «20240105103000»", "date"),
    ("in «may 2019»", "date"),
    ("surgery in «March»", "date"),
    ("D:«07/20/83» T:«07/21/83»", "date date"),
    ("stenosis on «8-09-83»", "date"),
    ("prior of «7.2.22»", "date"),
    ("unchanged since «2/03»", "date"),
    ("dated «3/14», compared with «8/79».", "date date"),
    ("from «2020-03»", "date"),
    ("on «12 / 03 / 2020»", "date"),
    ("Tuesday, «March 3»", "date"),
    ("Scanned «14-Mar-2019» 10:22", "date"),
    ("at «2024-03-05»T10:22:00", "date"),
    ("«1st of May, 2020»", "date"),
    ("«Jan '19»", "date"),
    # telephone, fax and pager
    ("call «(555) 234-5678»", "phone"),
    ("Tel: «555-234-5678»", "phone"),
    ("fax «1-800-555-0199»", "phone"),
    ("reach us at «555.234.5678».", "phone"),
    ("phone «+44 20 7946 0958»", "phone"),
    ("Phone «5552345678»", "phone"),
    ("Ph: «98450 12345»", "phone"),
    ("Mobile: «0532 123 45 67»", "phone"),
    ("pager «12345»", "phone"),
    ("ext. «4521»", "phone"),
    ("Phone number: «234-5678»", "phone"),
    ("telephone no. «020 7946 0958»", "phone"),
    # record numbers
    ("MRN «00123456»", "record_number"),
    ("MRN: «12-34-56»", "record_number"),
    ("Accession number: «CT-2019-004411»", "record_number"),
    ("ACCESSION #: «A1234567»", "record_number"),
    ("Acc# «778812»", "record_number"),
    ("Medical record number «987654»", "record_number"),
    ("Patient ID: «P-00419»", "record_number"),
    ("SSN «123-45-6789»", "record_number"),
    ("social security number «123456789»", "record_number"),
    ("Insurance no. «XK 442918»", "record_number"),
    ("Policy number «998-1221»", "record_number"),
    ("NHS number «943 476 5919»", "record_number"),
    ("hospital no: «H445566»", "record_number"),
    ("Order: «1029384»", "record_number"),
    ("seen on study «1.2.840.113619.2.55.3.2831»", "record_number"),
    ("scan «20456612» shows", "record_number"),
    ("MRN#: «12 345 678»", "record_number"),
    ("Ref. No.: «2019/4471»", "record_number"),
    ("ID: «40071»", "record_number"),
    ("visit «560-40-78-5»", "record_number"),
    ("report «XW277/90683»", "record_number"),
    ("Medicare number «1EG4-TE5-MK73»", "record_number"),
    # the rest
    ("write to «j.doe@clinic.example.org»", "email"),
    ("images at «https://pacs.example.org/view?id=4»", "url"),
    ("lives at «48 North Elm Street»", "address"),
    ("«Springfield, IL 62704»", "address"),
    ("«P.O. Box 221»", "address"),
    ("ZIP code «02139»", "address"),
    ("London «SW1A 1AA»", "address"),
    ("a «ninety-two year old» man", "age"),
    ("A «93-year-old» woman", "age"),
    ("«Age: 91»", "age"),
    ("CLINICAL: «101 y/o» male", "age"),
]
CLEAN = [
    "Baker cyst, Hill-Sachs lesion, Bosniak II cyst, Chiari I malformation, thickening of the Gerota fascia.",
    "By the Fleischner Society, no follow-up. 45 Hounsfield units. Couinaud segment 4. Lady Windermere syndrome.",
    "Disc bulge at L4-5 and L5-S1; ribs 8/9/10; segments 5/6/7; C3/4; T11/12; levels 3/4/20.",
    "Nodule of 3/4/2 cm; 12 x 10 x 8 mm; 1.2 x 3.4 cm; 3.5 mm; 10-12 mm; 5/6; 0.5-1.5 cm.",
    "Image 3/4/20, series 3, image 44; (3:44); (se 3, im 44-48); series 301, images 120-128; slice 1200.",
    "At 10:45 am, 125 ml of contrast at 3 ml/s; kVp 120; DLP 1234.5 mGy cm; CTDI 12.34.",
    "in 2018; since 2016; unchanged from 2020; a 56-year-old man; a 90 mm mass; 95 HU.",
    "The MR. No change. MS plaques. MR Angiography. Seen on MR and CT. DR of the chest. Dr. was informed.",
    "Discussed with Vascular Surgery and the Emergency Department. Discussed with Dr. X. Reported to Dr. XXXX.",
    "Signed by the radiologist. Performed by CT guidance. Confirmed by Biopsy. Name: [**Name**]. Patient: ___",
    "Discussed with the Neurology team. Informed consent was obtained. Referring physician: not given.",
    "Findings may 5 mm be. May 5 mm nodules. The march of time. Dec. Right kidney 1.2.3 and 1. Liver 2. Spleen.",
    "LIVER: NORMAL. PATIENT: MALE. CC: CHEST PAIN. HISTORY: FALL. RESIDENT: NONE. ATTENDING: SEE BELOW.",
    "Order of 3 lesions. Case 12. Report 2. Study with 100 ml. Exam: 74177 CT abdomen. Unit 3. Grade 4. Stage 3b.",
    "Call 3 mm. Extension of 45 mm. Contact 120 degrees. Cell size. Mobile 1500 ml. Phone call made.",
    "Sister Mary Joseph nodule. Legg-Calvé-Perthes. Tc-99m 740 MBq. SUVmax 12.5. H1N1. COVID-19. CO-RADS 4. 1,250,000.",
    "Seen on 3/44 and 2/44; on 3/4; since 3/4 of it; L4 5TH; T8 3CM; 2000-2010; grade 1-2-13; pT2 N1.",
    "By the way - Stable. Patient - Stable. Attending - None. The patient, who fell. Dated images. ID: none.",
    "Patient Position Supine. Radiologist Impression Normal. Discussed with the Surgical Team. Seen by the Attending.",
    "MSH|^~\\&|RIS|H ORU^R01 CT^CHEST 71250^CT ABDOMEN; nearby Lesions; reviewed with Contrast; called to Order.",
    "Miss rate. Street drug use. 5 Main portal branches. 2 Anterior segments on the road. St. Jude valve.",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kinds"), FOUND)
def test_identifiers_are_found_with_their_place(text: str, kinds: str) -> None:
    plain = text.replace("«", "").replace("»", "")
    shown, shift = plain, 0
    for start, end, _ in identifiers_in(plain):
        shown = f"{shown[: start + shift]}«{plain[start:end]}»{shown[end + shift :]}"
        shift += 2
    assert (shown, " ".join(one.kind for one in identifiers_in(plain))) == (text, kinds)


@pytest.mark.parametrize("text", CLEAN)
def test_what_is_no_identifier_is_left_alone(text: str) -> None:
    assert [text[start:end] for start, end, _ in identifiers_in(text)] == []


def test_what_overlaps_is_blanked_as_a_whole() -> None:
    date, phone = Identifier(0, 10, IdentifierKind.DATE), Identifier(5, 20, IdentifierKind.PHONE)
    name, record = Identifier(25, 30, IdentifierKind.NAME), Identifier(25, 30, IdentifierKind.RECORD)
    assert apart([phone, name, record, date]) == [Identifier(0, 20, IdentifierKind.PHONE), name]


@pytest.mark.parametrize(
    "text",
    [
        "5" + " " * 50_000 + "x",
        "A-" * 50_000,
        "Dr. " + "de " * 50_000,
        "01/02/2020 " * 5_000,
        "a " * 50_000 + "^b",
        "mrn " * 9_000,
    ],
    ids=range(6),
)
def test_it_takes_time_in_proportion_to_the_text(text: str) -> None:
    start = time.process_time()
    identifiers_in(text)
    assert time.process_time() - start < 3


def test_blanks_keep_every_offset() -> None:
    text = "Dr. Okonkwo saw it on 03/14/2019. The liver is normal."
    clean = blanked(text)
    assert clean == f"Dr. {MARK * 7} saw it on {MARK * 10}. The liver is normal."
    assert blanked(clean) == clean
    assert [one.kind for one in identifiers_in(clean)] == ["blanked", "blanked"]
