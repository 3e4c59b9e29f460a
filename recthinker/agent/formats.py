"""The chat format that settings name, with the tokenizer of a model folder."""

from pathlib import Path

from tokenizers import Tokenizer

from recthinker.agent.chat_format import ChatFormat
from recthinker.agent.compact import CompactFormat
from recthinker.agent.hermes import HermesFormat
from recthinker.errors import ConfigError
from recthinker.settings import ChatFormatName

FORMATS: dict[ChatFormatName, type[CompactFormat] | type[HermesFormat]] = {
    "compact": CompactFormat,
    "hermes": HermesFormat,
}
TOKENIZER_FILE = "tokenizer.json"


def load_format(model_dir: Path, name: ChatFormatName) -> ChatFormat:
    """The format `name` for the model in a folder.

    Raises:
        ConfigError: the folder has no tokenizer that can be read, or one that does not fit the format.
    """
    path = model_dir / TOKENIZER_FILE
    if not path.is_file():
        raise ConfigError(f"{model_dir} is not a model folder: {TOKENIZER_FILE} is missing")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    # The library raises bare Exception, and nothing else, on a file that it cannot read.
    except Exception as error:
        raise ConfigError(
            f"{path} cannot be read as a tokenizer ({error}); save the model's tokenizer again"
        ) from error
    return FORMATS[name](tokenizer)
