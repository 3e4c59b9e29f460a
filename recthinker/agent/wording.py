"""How much is known of a user, in words: alike in every chat format."""

EVENT_COUNTS = ((20, "few events"), (60, "some events"), (150, "many events"), (None, "very many events"))


def count_words(events: int) -> str:
    """How much is known of a user, in words."""
    return next(words for limit, words in EVENT_COUNTS if limit is None or events < limit)
