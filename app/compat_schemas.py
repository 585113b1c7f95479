"""What the older site's addresses take and answer, for its views and for the documentation."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.jobs import State
from app.schemas import Answer, Error

_LINK = "Name or id of a stored style, or a picture as a data URL. Never an address: the server fetches nothing."


class OldNewStyle(BaseModel):
    """A painting to keep, in the older site's fields: with `image` or `link`. Other fields are ignored."""

    name: str | None = Field(None, description="Not yet that of another style.", min_length=1, max_length=80)
    title: str | None = Field(None, description="The same as `name`, which counts where both are sent.")
    image: str | None = Field(None, description="The painting.")
    link: str | None = Field(None, description=_LINK)


class OldNewUpload(BaseModel):
    """A photo to paint, in the older site's fields: with `style` or `link`. Other fields are ignored."""

    image: str = Field(description="The photo.")
    style: str | None = Field(None, description="Name or id of a stored style.")
    link: str | None = Field(None, description=_LINK)


class OldStyle(Answer):
    id: str = Field(description="Text, where the older site had numbers.")
    name: str
    title: str = Field(description="The same as `name`.")
    link: str = Field(description="Address of a small picture of it.")
    image: str = Field(description="The same as `link`.")
    created_at: datetime | None = Field(description="Null for one that ships.")


class OldUpload(Answer):
    id: str = Field(description="That of the job; `/api/v1/jobs/{id}` tells more.")
    image: str | None = Field(description="Address of the photo; null until it is painted.")
    style: str | None = Field(description="Id of the stored style; null for a picture that was sent.")
    link: str = Field(description="Name of the style.")
    result: str | None = Field(description="Address of the painted picture; null until there is one.")
    state: State
    error: Error | None = Field(description="Why a failed one failed; null otherwise.")
    created_at: datetime
