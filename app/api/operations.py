"""Every operation of the API: what it takes, what it answers, and how it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, Field

from app.api import request_schemas, response_schemas, samples
from app.api.samples import MASK, PAINTING, PASTICHE, PHOTO
from app.inputs import style_requests
from model.imaging.formats import OUTPUT_FORMATS
from model.style_file import MEDIA_TYPE

_UPLOAD_ERRORS = frozenset({400, 401, 413, 415, 422, 429, 503})  # whatever takes pictures
_LOOKUP_ERRORS = frozenset({401, 404})  # whatever has an id
_TURN_ERRORS = _LOOKUP_ERRORS | {429, 503}  # whatever takes a painter's turn
_PICTURE_TYPES = tuple(format.media_type for format in OUTPUT_FORMATS.values())


class Health(response_schemas.Answer):
    status: Literal["alive", "ready"]
    weights: str | None = Field(None, description="Name of the weights that are loaded; only `/readyz` tells it.")


@dataclass(frozen=True)
class RequestBody:
    """A request's body. json, form: one model, or several of which any will do. examples: JSON, by what they show."""

    json: tuple[type[BaseModel], ...]
    form: tuple[type[BaseModel], ...] = ()
    examples: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class OperationResponse:
    description: str
    json: type[BaseModel] | None = None
    array: bool = False  # of `json`
    media: tuple[str, ...] = ()  # other than JSON
    headers: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)  # operation -> where in the answer its id is


@dataclass(frozen=True)
class Operation:
    route: str  # method and path
    id: str
    summary: str
    description: str
    response: OperationResponse
    errors: frozenset[int] = frozenset()
    body: RequestBody | None = None
    status: int = 200
    headers: tuple[str, ...] = ()
    curl: str | None = ""  # what the sample for the shell adds to the address; None: there is no such sample
    python: str = ""  # a sample
    query: type[BaseModel] | None = None  # what the address may say

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0].lower()

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]


@dataclass(frozen=True)
class Group:
    name: str
    description: str
    operations: tuple[Operation, ...]


_STYLIZE_EXAMPLES = {
    "A photo and a painting": {"content": PHOTO, "style": PAINTING},
    "A stored style, small, as JPEG": {"content": PHOTO, "style": "mosaic", "strength": 0.8}
    | {"size": 64, "format": "jpeg", "quality": 85},
    "A blend of two": {"content": PHOTO, "style": [{"name": "ink", "weight": 2}, {"image": PAINTING, "weight": 1}]},
    "The house alone, with the photo's own colours": {"content": PHOTO, "style": "mosaic", "mask": MASK}
    | {"feather": 2, "keep_colours": 1},
    "A style for each region": {"content": PHOTO, "style": ["ink", "mosaic"], "mask": ["everywhere", MASK]}
    | {"region_styles": [1, 2], "region_strengths": [0.6, 1]},
    "For print, with a finer brush": {"content": PHOTO, "style": PAINTING, "print": "10x8cm", "dpi": 30}
    | {"style_scale": 0.5, "steady": True, "format": "tiff"},
}
_REFINE_EXAMPLES = {
    "A quick refinement": {"content": PHOTO, "style": PAINTING, "method": "gatys"}
    | {"preset": "fast", "size": 128, "steps": 20},
    "A refinement with layers and weights of its own": {"content": PHOTO, "style": "mosaic", "method": "gatys"}
    | {"encoder": "vgg19-slim", "content_layers": {"block4_conv2": 1}}
    | {"style_layers": {"block1_conv1": 0.5, "block3_conv1": 1}, "content_weight": 0.05, "start": "content"}
    | {"size": 128, "steps": 20},
}
_STYLIZE_BODY = RequestBody(
    json=(request_schemas.StylizeJson,), form=(request_schemas.StylizeForm,), examples=_STYLIZE_EXAMPLES
)
_JOB_BODY = RequestBody(
    json=(request_schemas.StylizeJson, request_schemas.RefineJson),
    form=(request_schemas.StylizeForm, request_schemas.RefineForm),
    examples=_STYLIZE_EXAMPLES | _REFINE_EXAMPLES,
)
_SHEET_BODY = RequestBody(
    json=(request_schemas.SheetJson,),
    form=(request_schemas.SheetForm,),
    examples={
        "Two styles, three strengths": {"content": PHOTO, "style": [PAINTING, "mosaic"], "size": 64},
        "One style, two brush sizes": {"content": PHOTO, "style": PAINTING, "size": 64, "style_scales": [0.5, 2]}
        | {"strengths": [1], "format": "jpeg"},
    },
)
_RECIPE_BODY = RequestBody(
    json=(request_schemas.RecipeJson,),
    form=(request_schemas.RecipeForm,),
    examples={"A painted picture": {"picture": PASTICHE}},
)
_NEW_STYLE_BODY = RequestBody(
    json=(request_schemas.PaintingJson, request_schemas.StyleFileJson),
    form=(request_schemas.PaintingForm, request_schemas.StyleFileForm),
    examples={
        "A painting": {"picture": PAINTING, "name": "Harbour at dusk", "credit": "A. Painter, 1905"},
        "The average of two": {"picture": [PAINTING, PHOTO], "name": "Between the two", "keep": "vector"},
    },
)
_LEGACY_STYLE_BODY = RequestBody(
    json=(request_schemas.OldNewStyle,),
    form=(request_schemas.OldNewStyleForm,),
    examples={"A painting as a link": {"name": "Regatta", "link": PAINTING}},
)
_LEGACY_UPLOAD_BODY = RequestBody(
    json=(request_schemas.OldNewUpload,),
    form=(request_schemas.OldNewUploadForm,),
    examples={
        "A stored style": {"image": PHOTO, "style": "mosaic"},
        "A style as a link": {"image": PHOTO, "link": PAINTING},
    },
)
_TRAIN_BODY = RequestBody(
    json=(request_schemas.TrainStyle,),
    form=(request_schemas.TrainStyle,),
    examples={"Three minutes, and wild": {"minutes": 3, "content_weight": 0.3}},
)
_JOB_LINKS = ("job", "cancel_job", "job_events", "job_preview", "job_result", "pause_job", "resume_job")
_STYLE_LINKS = (
    *("style", "change_style", "delete_style", "style_vector", "style_thumbnail"),
    *("train_network", "forget_network"),
)

_STYLIZE_OPERATIONS = (
    Operation(
        "POST /api/v1/stylize",
        "stylize",
        "Paint now",
        "Answers with the picture itself, or with JSON where `Accept: application/json` asks for it. Pictures that "
        "take too long to wait for are refused with the code `too_long`: send the same to `/api/v1/jobs`.",
        OperationResponse(
            "The picture in the `format` that was asked for, or JSON with the picture as a data URL.",
            response_schemas.PaintedAnswer,
            media=_PICTURE_TYPES,
            headers=("X-Style-Weights", "X-Style-Seconds"),
        ),
        _UPLOAD_ERRORS,
        _STYLIZE_BODY,
        curl="-F content=@photo.jpg -F style=@painting.jpg -o pastiche.png",
        python=samples.STYLIZE,
    ),
    Operation(
        "GET /api/v1/forecast",
        "forecast",
        "Know it before",
        "How large the result of a photo of this size would become, and what painting it would take. All options of "
        "`/api/v1/stylize` are taken.",
        OperationResponse("The forecast.", response_schemas.ForecastAnswer),
        frozenset({401, 422, 429}),
        query=request_schemas.ForecastQuery,
        curl="-G -d width=4000 -d height=3000 -d print=60x45cm",
    ),
    Operation(
        "POST /api/v1/recipe",
        "recipe",
        "Read a recipe",
        "A picture that was painted here carries its recipe. What comes back is what to send to have another photo "
        "painted alike: options, styles and masks. A picture without one is refused with the code `no_recipe`.",
        OperationResponse("The recipe, as it is and as it is to be sent.", response_schemas.RecipeAnswer),
        _UPLOAD_ERRORS,
        _RECIPE_BODY,
        curl="-F picture=@pastiche.png",
        python=samples.RECIPE,
    ),
)
_SHEET_OPERATIONS = (
    Operation(
        "POST /api/v1/sheet",
        "sheet",
        "A contact sheet",
        "One photo in several styles, strengths and brush sizes at once, small, to choose from. Answers with the sheet "
        "as a picture, or with JSON that says where on it each of them is.",
        OperationResponse(
            "The sheet in the `format` that was asked for, or JSON with the sheet as a data URL.",
            response_schemas.SheetAnswer,
            media=_PICTURE_TYPES,
            headers=("X-Style-Weights", "X-Style-Seconds"),
        ),
        _UPLOAD_ERRORS,
        _SHEET_BODY,
        curl="-F content=@photo.jpg -F style=mosaic -F style=@painting.jpg -F strengths=0.5,1 -o sheet.png",
    ),
)
_JOB_OPERATIONS = (
    Operation(
        "POST /api/v1/jobs",
        "add_job",
        "Ask for a picture",
        "Takes what `/api/v1/stylize` takes, and refinements as well, and answers at once with a job. Send an "
        "`Idempotency-Key` of your own "
        "making, and asking twice gives the same job. Without an API key and a cookie nobody owns the job: its id is "
        "all that it takes to read or cancel it, so keep it to yourself.",
        OperationResponse(
            "The job, waiting for its turn.",
            response_schemas.JobAnswer,
            headers=("Location",),
            links=dict.fromkeys(_JOB_LINKS, "/id"),
        ),
        _UPLOAD_ERRORS,
        _JOB_BODY,
        202,
        headers=("Idempotency-Key",),
        curl="-H 'Idempotency-Key: holiday-1' \\\n"
        "  -F content=@photo.jpg -F style=mosaic -F style=@painting.jpg -F weights=2,1",
        python=samples.ADD_JOB,
    ),
    Operation(
        "GET /api/v1/jobs/{id}",
        "job",
        "Look at a job",
        "Its state, its place in the queue, how far it is, and where its picture is.",
        OperationResponse("The job.", response_schemas.JobAnswer),
        _LOOKUP_ERRORS,
    ),
    Operation(
        "GET /api/v1/jobs/{id}/events",
        "job_events",
        "Watch a job",
        "Server-sent events: one named `job`, with the job as JSON, now and whenever it changes. A stream ends with "
        "the job, or after 15 seconds; an `EventSource` opens the next by itself. Where too many watch already, the "
        "answer is 503: look at the job every few seconds instead.",
        OperationResponse("The stream.", media=("text/event-stream",)),
        _LOOKUP_ERRORS | {503},
        curl="-N",
    ),
    Operation(
        "GET /api/v1/jobs/{id}/preview",
        "job_preview",
        "The picture so far",
        "A small picture of a job that is running.",
        OperationResponse("The picture as it is now.", media=("image/jpeg",)),
        _LOOKUP_ERRORS,
        curl=None,
    ),
    Operation(
        "GET /api/v1/jobs/{id}/result",
        "job_result",
        "Fetch the picture",
        "In the format that was asked for. While the job is not done, the answer is 404 with the code `not_done`.",
        OperationResponse("The picture.", media=_PICTURE_TYPES),
        _TURN_ERRORS,
        curl="-o pastiche.png",
    ),
    Operation(
        "DELETE /api/v1/jobs/{id}",
        "cancel_job",
        "Cancel a job",
        "One that waits is cancelled at once; one that runs stops at its next step and keeps the best picture so far, "
        "a training what it has learnt; one that is done stays as it is.",
        OperationResponse("The job.", response_schemas.JobAnswer),
        _LOOKUP_ERRORS,
    ),
)
_REFINE_OPERATIONS = (
    Operation(
        "GET /api/v1/encoders",
        "encoders",
        "List the encoders",
        "The networks that judge how a refinement is doing, with the layers they look at, and the presets to start "
        "from.",
        OperationResponse("The encoders and the presets.", response_schemas.EncodersAnswer),
        frozenset({401}),
        python=samples.REFINE,
    ),
    Operation(
        "POST /api/v1/jobs/{id}/pause",
        "pause_job",
        "Pause a refinement or a training",
        "It stops at its next step and keeps what it has, until it is resumed or expires. One that has ended stays as "
        "it is.",
        OperationResponse("The job.", response_schemas.JobAnswer),
        _LOOKUP_ERRORS | {422},
    ),
    Operation(
        "POST /api/v1/jobs/{id}/resume",
        "resume_job",
        "Go on with it",
        "It waits for its turn again and goes on from where it was.",
        OperationResponse("The job.", response_schemas.JobAnswer),
        _LOOKUP_ERRORS | {422, 503},
    ),
)
_STYLE_OPERATIONS = (
    Operation(
        "GET /api/v1/styles",
        "styles",
        "List the styles",
        "Those that ship, then your own.",
        OperationResponse(
            "The styles.", response_schemas.StylesAnswer, links=dict.fromkeys(_STYLE_LINKS, "/styles/0/id")
        ),
        frozenset({401}),
    ),
    Operation(
        "POST /api/v1/styles",
        "add_style",
        "Add a style",
        "A painting, several paintings as their average, or a style file. It is yours alone: send an API key, or keep "
        "the cookie that comes back.",
        OperationResponse(
            "The new style.",
            response_schemas.StyleAnswer,
            headers=("Location",),
            links=dict.fromkeys(_STYLE_LINKS, "/id"),
        ),
        _UPLOAD_ERRORS,
        _NEW_STYLE_BODY,
        201,
        curl="-b cookies.txt -c cookies.txt \\\n"
        "  -F picture=@painting.jpg -F 'name=Harbour at dusk' -F 'credit=A. Painter, 1905'",
        python=samples.ADD_STYLE,
    ),
    Operation(
        "GET /api/v1/styles/{id}",
        "style",
        "Look at a style",
        "One that ships, or one of your own.",
        OperationResponse("The style.", response_schemas.StyleAnswer),
        _LOOKUP_ERRORS,
    ),
    Operation(
        "PATCH /api/v1/styles/{id}",
        "change_style",
        "Change its name, credit or licence",
        "Of one of your own; what is left out stays.",
        OperationResponse("The style as it is now.", response_schemas.StyleAnswer),
        _LOOKUP_ERRORS | {400, 413, 415, 422, 429},
        RequestBody(json=(style_requests.StyleChange,), examples={"Another name": {"name": "Harbour at night"}}),
        curl="""-b cookies.txt --json '{"name": "Harbour at night"}'""",
    ),
    Operation(
        "GET /api/v1/styles/{id}/vector",
        "style_vector",
        "Export a style",
        "A style file: the numbers that the networks see in the painting, without the painting. Add it here again, or "
        "to another server that paints with the same weights.",
        OperationResponse("The style file.", media=(MEDIA_TYPE,)),
        _TURN_ERRORS,
        curl="-o mosaic.style.json",
    ),
    Operation(
        "GET /api/v1/styles/{id}/thumbnail",
        "style_thumbnail",
        "A small picture of it",
        "Of a style that is kept as its numbers alone: what it makes of a cat.",
        OperationResponse("The picture.", media=("image/jpeg",)),
        _LOOKUP_ERRORS,
        curl="-o mosaic.jpg",
    ),
    Operation(
        "POST /api/v1/styles/{id}/network",
        "train_network",
        "Teach it its own network",
        "Of one of your own that is a picture. A job trains a network for this painting alone, some minutes long and "
        "behind everything that is painted, and stores it with the style, which then is painted as fast as before and "
        "much closer to the painting. Cancelled, it keeps what has been learnt. Refinements, other brush sizes and "
        "colours that are matched still go by the picture. While a style is being taught the answer is 409.",
        OperationResponse(
            "The job, waiting for its turn.",
            response_schemas.JobAnswer,
            headers=("Location",),
            links=dict.fromkeys(_JOB_LINKS, "/id"),
        ),
        _LOOKUP_ERRORS | {400, 409, 413, 415, 422, 429, 503},
        _TRAIN_BODY,
        202,
        headers=("Idempotency-Key",),
        curl="-b cookies.txt -F minutes=8",
    ),
    Operation(
        "DELETE /api/v1/styles/{id}/network",
        "forget_network",
        "Forget its network",
        "Of one of your own that is a picture: the network for all styles paints it again.",
        OperationResponse("The style as it is now.", response_schemas.StyleAnswer),
        _LOOKUP_ERRORS | {422},
        curl="-b cookies.txt",
    ),
    Operation(
        "DELETE /api/v1/styles/{id}",
        "delete_style",
        "Delete a style",
        "One of your own. Jobs that were accepted with it are painted all the same.",
        OperationResponse("It is gone."),
        _LOOKUP_ERRORS,
        status=204,
        curl="-b cookies.txt",
    ),
)
_LEGACY_OPERATIONS = (
    Operation(
        "GET /api/styles/",
        "old_styles",
        "List the styles",
        "Those that ship, then your own, as an array.",
        OperationResponse("The styles.", response_schemas.OldStyle, array=True),
        frozenset({401}),
    ),
    Operation(
        "POST /api/styles/",
        "old_add_style",
        "Add a style",
        "It is yours alone. A `link` is never fetched: it names a stored style, of which this becomes a copy, or is a "
        "data URL.",
        OperationResponse("The new style.", response_schemas.OldStyle, headers=("Location",)),
        _UPLOAD_ERRORS,
        _LEGACY_STYLE_BODY,
        201,
        curl="-b cookies.txt -c cookies.txt \\\n  -F 'name=Morning fog' -F image=@painting.jpg",
    ),
    Operation(
        "GET /api/uploads/",
        "old_uploads",
        "List your uploads",
        "The newest hundred of your own, newest first, as an array: ask again until `result` is there.",
        OperationResponse("The uploads.", response_schemas.OldUpload, array=True),
        frozenset({401}),
        curl="-b cookies.txt",
    ),
    Operation(
        "POST /api/uploads/",
        "old_add_upload",
        "Upload a photo to be painted",
        "In a stored `style`, or in what `link` names or holds. It is painted as a job, with the default options.",
        OperationResponse("The upload, waiting to be painted.", response_schemas.OldUpload, headers=("Location",)),
        _UPLOAD_ERRORS,
        _LEGACY_UPLOAD_BODY,
        201,
        curl="-b cookies.txt -c cookies.txt \\\n  -F image=@photo.jpg -F style=mosaic",
    ),
)
_SERVER_OPERATIONS = (
    Operation(
        "GET /api/v1/openapi.json",
        "openapi",
        "This document",
        "All of this page as OpenAPI 3.1.",
        OperationResponse("The document.", media=("application/json",)),
    ),
    Operation(
        "GET /healthz",
        "alive",
        "Is it alive?",
        "Answers as long as the server does.",
        OperationResponse("It is.", Health),
    ),
    Operation(
        "GET /readyz",
        "ready",
        "Can it paint?",
        "Once the weights are verified and loaded, while all that it needs can be stored, until it is told to stop.",
        OperationResponse("It can.", Health),
        frozenset({503}),
    ),
    Operation(
        "GET /metrics",
        "metrics",
        "Numbers for Prometheus",
        "Requests by endpoint and status, what they and the paintings took, and jobs by state.",
        OperationResponse("The numbers.", media=("text/plain",)),
    ),
)
GROUPS = (
    Group("Pictures", "A photo in the style of a painting, while you wait.", _STYLIZE_OPERATIONS + _SHEET_OPERATIONS),
    Group(
        "Jobs",
        "The same for large pictures and long queues: ask, look how far it is, fetch the picture.",
        _JOB_OPERATIONS,
    ),
    Group(
        "Refinements",
        "Closer to the painting, for those who can wait: a job with `method=gatys` is optimised step by step, and gets "
        "better all the time. Cancelled, it keeps what it has by then. Its `losses` tell how far it is from the photo "
        "and the painting. With `start=result:` and an id it makes one of your results better.",
        _REFINE_OPERATIONS,
    ),
    Group("Styles", "The styles that ship, and your own.", _STYLE_OPERATIONS),
    Group(
        "Older site",
        "For front ends of the older Django site. New programs are better off with `/api/v1`.",
        _LEGACY_OPERATIONS,
    ),
    Group("Server", "For those who run one.", _SERVER_OPERATIONS),
)
OPERATIONS = tuple(operation for group in GROUPS for operation in group.operations)
