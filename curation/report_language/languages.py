"""The languages that are told apart: their codes, their names, and the closed lists of words that give one away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

LanguageChoice = Literal["en", "any"]
"""Which reports captions are made of: English ones, or those of any language, by what they quote."""
ENGLISH = "en"
UNDETERMINED = "und"
"""The code, of ISO 639-2, of what is too short to tell or in no language at all."""
LANGUAGES = {
    "ar": "Arabic", "bg": "Bulgarian", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sr": "Serbian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip


def language_name(code: str) -> str:
    """Return the English name of a language, "language unclear" where none was found."""
    return LANGUAGES.get(code, "language unclear")


def counts_by_language(counts: Mapping[str, int]) -> str:
    """Return counts by code as a list for a person, the most frequent first: "740 English, 2 German"."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {language_name(code)}" for code, count in ordered)


_BY_LANGUAGE = {
    "cs": "není jsou nejsou bez vlevo vpravo levé pravé levá pravá velikosti změn zmen známek normální přiměřené "
    "nezvětšena nezvětšeny bilaterálně oboustranně závěr nález plíce plic játra ledvina ledviny slezina "
    "žlučník",
    "da": "ikke ingen intet uden ved på højre venstre ses kun fund lidt konklusion lever leveren lunger lungerne "
    "milt milten nyre nyrer galdeblæren hjertet forstørret",
    "de": "und nicht kein keine keinen keiner keines ohne mit der das dem ein eine einer eines einem einen ist sind "
    "auf aus bei beim nach sowie oder zustand bis zum zur zu auch nur noch durch über unter für links rechts "
    "linke linken linker rechte rechten rechter rechtes linkes beidseits beiderseits bds unauffällig "
    "unauffällige unauffälliger unauffälliges unauffaellig regelrecht regelrechte normale normaler befund "
    "beurteilung nachweis hinweis leber milz niere nieren lunge lungen gallenblase harnblase "
    "bauchspeicheldrüse pankreas herz nebenniere nebennieren leichte leichter geringe geringer kleine kleiner",
    "es": "sin con del las una unos unas por desde hacia hasta entre muy sobre existe existen hay observa observan "
    "aprecia derecho derecha izquierdo izquierda ambos ambas normales hallazgos impresión conclusión pulmón "
    "pulmones corazón hígado higado bazo riñón riñones rinones vesícula derrame leve tamaño aumentado "
    "aumentada",
    "fi": "ei ole ovat sekä että oikea oikealla vasen vasemmalla oikean vasemman oikeassa vasemmassa molemmin "
    "normaali normaalit normaalin kokoinen ilman lausunto maksa keuhkot keuhko munuaiset munuainen perna "
    "haima sydän",
    "fr": "pas sans avec est sont les une aux dans sur chez entre vers sous cette ces aucun aucune droit droite "
    "droits gauche gauches foie rein reins poumon poumons coeur cœur vésicule vessie épanchement normale "
    "normales taille mise évidence",
    "hu": "nem nincs nincsenek és egy van látható jobb oldali oldalon méretű normál kóros eltérés máj lép vese "
    "vesék tüdő tüdők szív epehólyag vélemény nélkül nelkul",
    "it": "senza della delle dello dei degli nel nella nelle alla alle dal dalla una uno gli che più anche destro "
    "destra sinistro sinistra normali normale fegato milza rene reni polmone polmoni cuore colecisti "
    "versamento assenza segni lieve apprezza nei limiti",
    "nl": "geen niet zonder een het met van voor naar aan bij ook links rechts linker rechter beiderzijds normaal "
    "normale conclusie lever milt nier nieren longen galblaas hart afwijkingen aanwijzingen vergroot gering",
    "no": "ikke ingen intet uten ved på høyre venstre ses kun funn litt vurdering lever leveren lunger lungene milt "
    "milten nyre nyrer galleblæren hjertet forstørret",
    "pl": "nie bez oraz jest są się przy prawidłowy prawidłowa prawidłowe prawidłowej prawej prawego prawym prawy "
    "prawa lewej lewego lewym lewy lewa widoczne stwierdza zmian cech wątroba śledziona sledziona nerki nerka "
    "płuca płuco trzustka serce wnioski nadnercza",
    "pt": "sem com não nao dos das uma uns umas pelo pela até são há direito direita esquerdo esquerda ambos ambas "
    "normais fígado figado baço baco rins pulmão pulmões coração vesícula derrame ausência achados impressão "
    "conclusão dimensões alterações leve",
    "ro": "fără fara și cu sunt este din nu stâng stang stânga stângă drept dreapta dreaptă ambii ambele normale "
    "dimensiuni ficat ficatul splina splină rinichi rinichii plămân plămâni cordul concluzii",
    "sv": "inte inga ingen inget utan vid på höger vänster och ses endast utlåtande bedömning lever levern lungor "
    "lungorna mjälte mjälten mjalte njure njurar gallblåsan hjärtat hjärta förstorad förstorade",
    "tr": "ile yok yoktur olarak olan izlenmedi izlendi saptanmadı saptanmadi saptandı mevcuttur sağ sağda solda "
    "iki normaldir normaldi görünümdedir gorunumdedir karaciğer karaciger dalak böbrek böbrekler akciğer "
    "akciğerler kalp pankreas safra sonuç sonuc boyutları boyutlari boyutta çapında",
}
# Letters that English writes in names alone.
FOREIGN_LETTERS = frozenset("äöüßàâæçèêëîïôœùûÿãõñáéíóúìòåøşğıłżźćśńąęčřšžýěůďťňőűăâîșț¿¡")


def _languages_by_word() -> dict[str, tuple[str, ...]]:
    """Return the languages that list each word."""
    by_word: dict[str, tuple[str, ...]] = {}
    for code, words in _BY_LANGUAGE.items():
        for word in words.split():
            by_word[word] = (*by_word.get(word, ()), code) if code not in by_word.get(word, ()) else by_word[word]
    return by_word


LANGUAGES_BY_WORD = _languages_by_word()
"""Words of grammar and frequent words of reports in other languages, each with the languages that have it."""
