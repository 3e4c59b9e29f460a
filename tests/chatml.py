"""Tokenizers of two kinds of ChatML models, small: trained on the prompt of a hermes format, not taken from any model.

In `qwen_like` the marks of calls and thoughts are tokens that are not special, as in Qwen3's; in `smollm_like` they are
no tokens at all.
"""

import string

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from recthinker.agent import hermes

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<tool_call>", "</tool_call>", "<tool_response>", "</tool_response>", "<think>", "</think>")


def smollm_like() -> Tokenizer:
    """Byte-level BPE with the three ChatML tokens, and each letter after a space one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=900,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    letters = "".join(f" {letter}" for letter in string.ascii_uppercase)
    tokenizer.train_from_iterator([hermes.SYSTEM, hermes.ASK, *[letters] * 100], trainer)
    return tokenizer


def qwen_like() -> Tokenizer:
    """The same, with the marks as added tokens that are not special."""
    tokenizer = smollm_like()
    tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in MARKS])
    return tokenizer
