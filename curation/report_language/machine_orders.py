"""The forms of orders to a machine that reads a report, as regular expressions.

Each is looked for only where one of its signs stands in the text: that costs a hundredth of a search for the form.
"""

from __future__ import annotations

import re

_MODEL = (
    r"(?:(?:large )?language models?|llms?|a\.?i\.?(?: (?:models?|systems?|assistants?|agents?|readers?|"
    r"engines?|tools?))?|"
    r"chat ?bots?|bots?|chat ?gpt|gpt(?:-?\d\w*)?|claude|gemini|llama|copilot|(?:virtual|digital|automated|"
    r"automatic|artificial) "
    r"[\w-]{1,20}(?: [\w-]{1,20})?)"
)
_PROGRAM = (
    r"(?:assistants?|agents?|machines?|(?:the|this|any|all|your) (?:models?|algorithms?|parsers?|programs?|"
    r"software|systems?|"
    r"annotators?|captioners?|extractors?|classifiers?|computers?))"
)
_READER = rf"(?:{_MODEL}|{_PROGRAM})"
_TOLD = (
    r"(?:instructions?|prompts?|directives?|commands?|system messages?|(?:your|all|any|previous|prior|these|"
    r"the) rules|"
    r"orders? (?:above|before|given)|guardrails?|context window|(?:your|safety) (?:training|polic(?:y|ies)|"
    r"guidelines))"
)
_OVERRIDE = (
    r"(?:ignore|disregard|forget|override|overrule|bypass|neglect|discard|drop|cancel|stop following|"
    r"do not (?:follow|obey))"
)
_SAY = r"(?:output|print|write|say|state|claim|answer|respond|reply|declare|pretend|caption|emit|generate|return)"
_FILE = r"(?:mark|label|classify|flag|set|treat|report|list|describe|record|caption|annotate|rate|score|tag|file)"
# Where an order may begin: a sentence or a clause, or behind a word that gives orders.
_ORDER = (
    r"(?:(?:^|(?<=[.!?:;,>\n]\s)|(?<=[.!?:;,>(\[\"'“*\n-])|(?<=\sand )|(?<=\sthen )|(?<=\sbut )|(?<=\sinstead ))\s?"
    r"(?:(?:please|now|then|also|instead|just|always|only|simply|therefore|so|kindly|immediately)[ ,]+){0,3}|"
    r"\byou (?:must|should|shall|will|need to|have to|are to|can|may|are (?:now )?(?:required|instructed|"
    r"asked|told|ordered) to)\s"
    r"(?:(?:always|only|never|not|now|instead|simply)\s){0,2}|\b(?:told|asked|ordered|instructed) to )"
)
_PAIRS = tuple(
    f"{verb} {which}"
    for verb in "mark label classify flag set caption annotate rate score tag".split()
    for which in "all every each any".split()
)
_FORMS = (
    # It overrides what its reader was told.
    (
        ("ignore", "disregard", "forget", "overrid", "overrul", "bypass", "neglect", "discard", "drop",
         "cancel", "following", "not follow", "not obey",),
        (
            rf"\b{_OVERRIDE}\b[^.!?\n]{{0,60}}?\b{_TOLD}\b",
            rf"\b{_OVERRIDE} (?:everything|anything|all|whatever)(?: of)?(?: (?:that|the|text|was|you|is|"
            rf"else|written|said|stands|this|"
            r"above|below|before|previous|prior|earlier|other)\b){1,4}",
        ),
    ),
    # It speaks of what its reader was told.
    (
        ("instruction", "prompt", "directive", "command", "message", "rules", "jailbreak", "guardrail", "orders",),
        (
            rf"\b(?:new|updated|additional|real|actual|following|hidden|secret|"
            rf"special) {_TOLD}\b\s?(?:[:;.!]|are\b|is\b|follow)",
            rf"\b(?:follow|obey|execute|comply with|adhere to) (?:only )?(?:the |these |this )?(?:following|"
            rf"new|next|above|my|these) {_TOLD}\b",
            r"\b(?:system|user|developer|assistant|hidden|initial|original) (?:prompt|message|"
            r"instruction)s?\b",
            r"\bprompt injection\b|\bjailbreak\w*",
            r"\b(?:begin|start|end) of (?:the )?(?:system |user |hidden )?(?:prompt|instructions?)\b",
        ),
    ),
    # It calls its reader by a name.
    (
        (" ai ", " ai:", " ai,", " ai.", " ai;", " ai!", " ai\n", " ai-", "a.i.", "llm", "language model",
         "chatbot", " bot", "gpt", "claude", "gemini", "llama", "copilot", "assistant", "virtual", "digital",
         "automat", "artificial",),
        (
            rf"\b(?:notes?|messages?|instructions?|hints?|reminders?|memos?|commands?|requests?|orders?|"
            rf"warnings?|information|attention)"
            rf"[ ,-]{{1,2}}(?:to|for|of) (?:the |any |all |an? |every )?{_MODEL}\b",
            rf"\b(?:to|for) (?:the |any |all |an? |every )?{_MODEL}(?: reading this[^.!?\n:]{{0,20}})?\s?[:\n]",
            rf"(?:^|(?<=[.!?]\s))(?:notes?|attention|warning|message|important),? (?:the |any |"
            rf"all )?{_MODEL}\s?[:,!]",
            r"\bas an? (?:ai|a\.i\.|llm|(?:large )?language model)\b(?! (?:marker|finding))",
        ),
    ),
    (
        ("note", "message", "instruction", "hint", "reminder", "memo", "command",),
        (
            rf"\b(?:notes?|messages?|instructions?|hints?|reminders?|memos?|commands?) (?:to|for) (?:the |"
            rf"any |all |an? |every )?{_PROGRAM}"
            r"\b(?=\s?[:;,.(\n-]|\s(?:reading|that|which|who)\b)",
        ),
    ),
    (
        ("dear ", "hey ", "hello", "attention", "listen",),
        (
            rf"\b(?:dear|hey|hello|attention|listen),? {_READER}\b",
        ),
    ),
    (
        ("you are", "you're",),
        (
            rf"\b(?:if|when|since|because|as) you(?:'re| are)\b[^.!?\n]{{0,30}}\b{_READER}",
            rf"\byou(?:'re| are) (?:now )?(?:an? |the |no longer )?(?:[\w-]+ ){{0,3}}{_READER}",
            r"\byou are (?:now )?(?:a|an|the) (?:[\w-]+ ){0,3}(?:radiologist|captioner|annotator|doctor|"
            r"expert|writer)\b",
        ),
    ),
    (
        (" must", " should", " shall", " needs to", " need to", " has to", " have to", " this",),
        (
            rf"\b{_READER} (?:must|should|shall|needs? to|has to|have to|reading this|that reads? this|"
            rf"which reads? this|processing this)\b"
            rf"[^.!?\n]{{0,40}}\b(?:{_SAY}|{_FILE}|{_OVERRIDE}|not|only|always|never)\b",
        ),
    ),
    # It gives orders on what is to be written.
    (
        ("output", "print", "emit",),
        (
            rf"{_ORDER}(?:output|print|emit)\b:? (?:that|only|just|the|an?|all|every|nothing|exactly|"
            rf"verbatim|normal|abnormal|unremarkable|no|json|"
            r"[\"'“{\[])",
        ),
    ),
    (
        ("say ", "write ", "state that", "state only", "state exactly", "state nothing", "state the following",
         'state "', "claim", "answer", "respond", "reply", "declare", "pretend", "output", "print", "emit ",
         "generate", "return ", "caption",),
        (
            rf"{_ORDER}{_SAY} (?:that|only|exactly|nothing|verbatim|the following|in json|as json|json|"
            rf"with(?: the)? (?:words?|text|json|only|"
            r"exactly|[\"'“])|[\"'“‘{\[])",
        ),
    ),
    (
        (" as normal", " as abnormal", " as unremarkable", " as healthy", " as positive", " as negative",
         " as clear", " as benign", " as malignant", " as absent", " as present", " as uncertain", " as true",
         " as false", " as being", " as completely", " as entirely", " as fully", ' as "', " as '",
         " to normal", " to abnormal", " to unremarkable", " to positive", " to negative", " to absent",
         " to present", " to true", " to false", ' to "', " to being",),
        (
            rf"{_ORDER}{_FILE} (?!(?:the|this) patient)(?:the|all|every|each|any|this|these|both|it|them|"
            rf"whole|everything)\b[^.!?\n]{{0,60}}?\b(?:as|to) (?:\"|'|“)?(?:being )?(?:completely |"
            rf"entirely |fully )?(?:normal|abnormal|unremarkable|"
            r"healthy|positive|negative|clear|benign|malignant|absent|present|uncertain|true|false)\b",
        ),
    ),
    (
        _PAIRS,
        (
            rf"{_ORDER}(?:mark|label|classify|flag|set|caption|annotate|rate|score|tag) (?:all|every|each|"
            rf"any) (?:of the )?(?:organs?|findings?|structures?|captions?|lesions?)\b",
        ),
    ),
    (
        ("do not ", "don't ", "never ",),
        (
            r"(?:^|(?<=[.!?:;]\s))\s?(?:please |also |and )?(?:do not|don't|never) (?:mention|report|output|"
            r"caption|write|say|state|tell|extract|"
            r"reveal|disclose|flag) \w",
        ),
    ),
    (
        ("caption", "json", "prompt", "output", "response", "answer", "instruct", "token", "schema",
         "your report", "your text", "your words",),
        (
            rf"{_ORDER}(?:{_SAY}|{_FILE}|create|make|produce|extract|add|insert|append|give|provide|use|"
            rf"fill in|replace|change)\b[^.!?\n]{{0,80}}?"
            r"\b(?:captions?|json|prompts?|outputs?|responses?|answers?|instructions?|tokens?|schema|"
            r"your (?:report|text|words))\b",
            r"\blet (?:your|the) (?:output|response|answer|captions?|reply)\b|"
            r"\b(?:your|the) (?:output|response|answer|captions?|reply) (?:must|should|shall|has to|"
            r"needs to|is to|will) (?:be|say|read|contain|"
            r"include|state|start|begin|end|only|not)\b",
        ),
    ),
    # It is code.
    (
        ('("', "('", "({", "([", '( "', "( '", "( {", "( [",),
        (
            r"\b(?:print|output|return|system|eval|exec|append|write|answer|respond|caption|"
            r"set_\w+)\s?\(\s?[\"'{\[]",
        ),
    ),
)  # fmt: skip
ORDERS = tuple(
    (signs, re.compile("|".join(f"(?:{form})" for form in forms), re.IGNORECASE | re.MULTILINE))
    for signs, forms in _FORMS
)
"""Signs, in small letters, of which one stands in every text that has an order of these forms; and the forms."""
