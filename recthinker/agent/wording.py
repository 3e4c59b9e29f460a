"""How much is known of a user, in words, and how much of a text is looked at: alike in every chat format."""

EVENT_COUNTS = ((20, "few events"), (60, "some events"), (150, "many events"), (None, "very many events"))
MAX_WORDS_CHARACTERS = 200
"""Characters of a piece of text that are looked at; more could not matter, and tokenizing a megabyte takes seconds."""


def count_words(events: int) -> str:
    """How much is known of a user, in words."""
    return next(words for limit, words in EVENT_COUNTS if limit is None or events < limit)
