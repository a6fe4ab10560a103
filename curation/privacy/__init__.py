"""What in a text may tell who a patient is: a check by patterns, which is no guarantee and no de-identification.

What is looked for: names behind a title, a label or before a degree; dates with a day or a month; telephone, fax and
pager numbers; record, accession, insurance and social security numbers; e-mail and web addresses; street addresses;
ages of 90 and more. What is not: names that stand in a sentence without a title or label, names of hospitals and
places, years alone, times of the day, initials, photographs, and whatever a person would tell from the story itself.
"""
