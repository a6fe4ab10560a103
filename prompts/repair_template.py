"""What a model is told of refused captions, where a prompt file has no words of its own for it (its key ``repair``)."""

from __future__ import annotations

MAX_REPAIRED_CAPTIONS = 24
"""The most captions in an answer about refused ones: a dozen is sent at once, and one may be split into two."""
DEFAULT_REPAIR = """\
Captions of a CT report were refused: as they are worded or filed, the report does not say them. Each one comes with the
organ it was filed under, the reason, the passage of the report that is nearest to it, the organs that this passage is
about, the words of the caption that it does not have, and its own words that the caption does not use.

Put each of them right: leave out the missing words, and say what the caption meant in the words of the passage, copied
letter by letter, with every "no", side, size and doubt. File it under an organ that the passage is about; if there are
several, under the one that the caption was about. Where another passage is nearer to what the caption meant, take that
one; where it takes both, give a caption of each. Leave a caption out only if its passage says nothing about any organ.
For example:

1. lungs: no pleural effusion
   refused: the evidence is about pleura, not lungs
   passage: Pleural effusion was not observed.
   it is about: pleura
2. left kidney: 12 mm cortical cyst
   refused: “12 mm” is not in the evidence
   passage: There is an 8 mm cyst in the left kidney.
   it is about: left kidney
   it does not have: “12 mm”, “cortical”
   its other words: “8 mm”

{"captions":[{"organ":"pleura","caption":"Pleural effusion was not observed."},{"organ":"left kidney","caption":"8 mm \
cyst in the left kidney"}]}

These are the captions to put right. Answer with JSON of the same form, and nothing else.

{% for row in refused %}
{{ row.number }}. {{ row.organ }}: {{ row.caption }}
   refused: {{ row.reason }}
   passage: {{ row.passage }}
{% if row.about %}
   it is about: {{ row.about | join(", ") }}
{% endif %}
{% if row.missing %}
   it does not have: “{{ row.missing | join("”, “") }}”
{% endif %}
{% if row.other_words %}
   its other words: “{{ row.other_words | join("”, “") }}”
{% endif %}
{% for other in row.other_passages %}
   or another passage: {{ other.passage }}
{% if other.about %}
   which is about: {{ other.about | join(", ") }}
{% endif %}
{% endfor %}
{% endfor %}
"""
