"""The base of what is read from a logged evaluation."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of evaluation.json; what it holds besides is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)
