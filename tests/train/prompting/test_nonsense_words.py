from prompts.vocabulary import load_vocabulary
from train.prompting.nonsense_words import ASKED_NONSENSE, TRAINED_NONSENSE


def test_no_word_is_asked_that_was_trained_and_none_names_anatomy() -> None:
    words = [word.lower() for word in (*TRAINED_NONSENSE, *ASKED_NONSENSE)]
    assert len(set(words)) == len(words) and len(ASKED_NONSENSE) >= 20
    vocabulary = load_vocabulary()
    assert not [word for word in words if vocabulary.names_of(word) or vocabulary.find(word)]
