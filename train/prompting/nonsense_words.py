"""Prompts that mean nothing in a body: those that training asks, and others that evaluation asks.

No word is on both lists, so that evaluation shows what a word comes to that training never saw.
"""

TRAINED_NONSENSE = (
    "apple", "orange", "strawberry", "potato", "carrot", "onion", "loaf of bread", "cup of tea", "dog", "cat", "horse",
    "elephant", "sparrow", "shark", "butterfly", "oak tree", "rose", "grass", "mountain", "river", "beach", "cloud",
    "thunderstorm", "moon", "car", "train", "airplane", "ship", "tractor", "street", "house", "kitchen", "staircase",
    "window", "roof", "chair", "lamp", "carpet", "mirror", "hammer", "screwdriver", "ladder", "telephone", "camera",
    "television", "keyboard", "newspaper", "dictionary", "pencil", "envelope", "guitar", "violin", "song", "painting",
    "football", "chess", "shirt", "shoes", "umbrella", "bank account", "election", "Monday", "democracy", "courage",
    "arithmetic", "grammar", "green", "seventeen", "the quick brown fox", "lorem ipsum", "asdf", "xyz", "nothing",
)  # fmt: skip
ASKED_NONSENSE = (
    "banana", "tomato", "cheese sandwich", "giraffe", "goldfish", "pine tree", "desert", "snow", "bicycle", "submarine",
    "bridge", "wardrobe", "bottle opener", "radio", "library book", "trumpet", "tennis", "raincoat", "Thursday",
    "justice", "purple", "twenty-three", "once upon a time", "qwertz",
)  # fmt: skip
