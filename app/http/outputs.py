"""Base of the answer models."""

from pydantic import BaseModel, ConfigDict


class Output(BaseModel):
    """Pydantic prepares a model at its first use. Most are only parts of others, and no process answers with all of them."""

    model_config = ConfigDict(defer_build=True)
