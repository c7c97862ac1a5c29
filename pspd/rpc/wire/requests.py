"""What a client can ask. Everything with a `type` on the wire derives from `Message`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    """Base of everything with a `type` on the wire."""


class Hello(Message, frozen=True, tag="hello"):
    """Ask who listens and which protocol it speaks."""

    client: str
    """Name and version of the client, for the log."""


class StatusRequest(Message, frozen=True, tag="status"):
    """Ask for the daemon's state; answered even while searches run."""


class RootsRequest(Message, frozen=True, tag="roots"):
    """Ask for the watch roots and their progress."""


class AddRoot(Message, frozen=True, tag="add_root"):
    """Watch a directory tree."""

    path: bytes
    """Absolute."""
    include: list[str] = []
    exclude: list[str] = []
    hidden: bool = False


class RemoveRoot(Message, frozen=True, tag="remove_root"):
    """Stop watching a directory tree and forget its files."""

    path: bytes


class ConfirmRoot(Message, frozen=True, tag="confirm_root"):
    """Believe that what is missing in a directory is gone: no drive will bring it back."""

    path: bytes
    """A watch root, or a directory in one."""


class PauseRoot(Message, frozen=True, tag="pause_root"):
    """Look at nothing below a watch root until it is resumed; what is known of it answers."""

    path: bytes
    action: Literal["pause", "resume"] = "pause"
    """`resume`: scan it for what changed meanwhile, and watch it again."""


Place = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF_FFFF)]
Length = Annotated[int, msgspec.Meta(ge=1, le=0xFFFF_FFFF)]


Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""Of a content, in hexadecimal, as `image` of a hit."""

ViewSide = Annotated[int, msgspec.Meta(ge=1, le=1024)]


class Rectangle(msgspec.Struct, frozen=True):
    """A part of an upright picture, in its pixels."""

    left: Place
    top: Place
    width: Length
    height: Length


class SearchRequest(Message, frozen=True, tag="search"):
    """Search with the image in the second frame."""

    mode: Literal["both", "original", "similar"] = "both"
    """`original`: same file and same pixels; `similar`: copies by hash; `both`: all of it."""
    distance: Annotated[int, msgspec.Meta(ge=0, le=256)] | None = None
    """Largest distance of the 256-bit hashes, 0 to 256; None for the calibrated threshold."""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """At most so many hits; None for all."""
    effort: Literal["fast", "full"] = "full"
    """`fast`: hashes only; `full`: learned descriptors and proofs too, where there are any."""
    alike: bool = False
    """Whether pictures are listed too that only resemble the query."""
    budget_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] | None = None
    """What descriptors and proofs may take, in milliseconds; None for the daemon's own."""
    expect: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """In place of `distance`: the largest with so many foreign hits a query on average."""
    part: Rectangle | None = None
    """Only this part of the upright query, in its pixels, as if it were all; None for all of it."""


class WhyRequest(Message, frozen=True, tag="why"):
    """Ask what joins or parts two images: the second frame has both, one behind the other."""

    first_bytes: Length
    """Where the second begins."""
    show: bool = False
    """Whether a picture of both is wanted, with what joins them."""


class PictureRequest(Message, frozen=True, tag="picture"):
    """Ask to see an indexed picture, small, and where its files lie."""

    image: Digest
    longest: ViewSide = 256
    """Pixels of the longer side at most, 1 to 1,024; nothing is enlarged."""
    tags: bool = False
    """Whether what its EXIF says is wanted too."""


class PreviewRequest(Message, frozen=True, tag="preview"):
    """Ask to see the image in the second frame as a picture is seen."""

    longest: ViewSide = 1024
    """As in `PictureRequest`."""
    tags: bool = False


class DetailRequest(Message, frozen=True, tag="detail"):
    """Ask to see a part of an indexed picture, pixel for pixel where it has few enough."""

    image: Digest
    part: Rectangle
    """Has to lie in the picture; of more than 1,024 pixels a side it is scaled down to that."""


class PreviewDetailRequest(Message, frozen=True, tag="preview_detail"):
    """Ask to see a part of the image in the second frame, likewise."""

    part: Rectangle


class SyncRequest(Message, frozen=True, tag="sync"):
    """Reply once everything that happened in the roots before now is indexed."""


class FailuresRequest(Message, frozen=True, tag="failures"):
    """Ask for one page of the files that could not be indexed."""

    after: bytes | None = None
    """The `next` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    """Most entries of the page, 1 to 10,000."""


class QuarantineRequest(Message, frozen=True, tag="quarantine"):
    """Ask for the contents that cost workers their lives, or let them out."""

    retry: bool = False
    """Whether to forget what they did, and try their files again."""
    path: bytes | None = None
    """Only the one that was met here; None for all."""


class DistinctRequest(Message, frozen=True, tag="distinct"):
    """Ask which pictures are said to be no copies of one another, say so, or take it back."""

    action: Literal["list", "mark", "forget"] = "list"
    """`mark`: each of `images` is distinct from each other. `forget`: that is taken back; of one
    alone, all that is said of it."""
    images: list[Digest] = []
    """What is said of contents holds wherever they lie; they need not be indexed."""
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """For `list`: the `next` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1000
    """For `list`: most pairs of the page, 1 to 1,000."""


class DistancesRequest(Message, frozen=True, tag="distances"):
    """Ask what chance brings: how many foreign hits each distance lets through."""


class DuplicatesRequest(Message, frozen=True, tag="duplicates"):
    """Ask for one page of the groups of copies."""

    after: bytes | None = None
    """The `next` of the page before."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000
    """Most files of the page, 1 to 10,000."""
    paths: list[bytes] = []
    """Only groups with a file below one of these folders; none for all."""


class StartJob(Message, frozen=True, tag="start_job"):
    """Begin something that takes long; the reply comes at once and has the job's number."""

    verb: Literal["check", "repair", "backup"]
    """`check`: look whether the store is what was written and what the pictures are. `repair`:
    check, and mend from the pictures what is wrong. `backup`: write a verified copy."""
    deep: bool = False
    """Whether a check or repair reads the pictures again."""
    part: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Which of `parts` parts of the pictures is read, from 1."""
    parts: Annotated[int, msgspec.Meta(ge=1)] = 1
    path: bytes | None = None
    """For a backup, the folder it is put into; None for the daemon's own."""


class JobRequest(Message, frozen=True, tag="job"):
    """Ask how far a job is."""

    job: int
    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many of its findings are known already; the reply has those that follow."""


class ModelsRequest(Message, frozen=True, tag="models"):
    """Ask for the models that make learned descriptors."""


class ModelChange(Message, frozen=True, tag="model_change"):
    """Add, use or remove a model, or pause describing; the reply comes when it is done."""

    action: Literal["add", "use", "remove", "pause", "resume"]
    name: str
    """Of the model; of no matter to `pause` and `resume`."""
    path: bytes | None = None
    """For `add`: the file, absolute, which is copied; None where the configuration names it."""
    sha256: str = ""
    """For `add`: what the file has to be, in hexadecimal; empty for whatever it is."""


class StopRequest(Message, frozen=True, tag="stop"):
    """Ask the daemon to finish its batch and exit."""


Request = (
    Hello
    | StatusRequest
    | RootsRequest
    | AddRoot
    | RemoveRoot
    | ConfirmRoot
    | PauseRoot
    | SearchRequest
    | WhyRequest
    | PictureRequest
    | PreviewRequest
    | DetailRequest
    | PreviewDetailRequest
    | SyncRequest
    | FailuresRequest
    | QuarantineRequest
    | DuplicatesRequest
    | DistinctRequest
    | DistancesRequest
    | StartJob
    | JobRequest
    | ModelsRequest
    | ModelChange
    | StopRequest
)

RemoteRequest = Hello | StatusRequest | RootsRequest | SearchRequest | WhyRequest | FailuresRequest
"""What a client can ask over tcp: nothing that names a path, changes anything or reads it all."""
