"""One value of every message; `golden/messages.json` keeps the bytes they had at first."""

from __future__ import annotations

import msgspec

from pspd.rpc import wire

ROOT = wire.RootStatus(
    path=b"/home/ann/Pictures",
    state="watching",
    indexed=1200,
    pending=0,
    failed=3,
    include=["*.jpg"],
    exclude=["cache/*"],
    hidden=True,
    problem="",
)

FRESHNESS = wire.Freshness(
    indexed=1200,
    pending=37,
    failed=3,
    scanning_roots=[b"/home/ann/Pictures"],
    unavailable_roots=[b"/media/usb"],
    stale=5,
    unverified=1,
)

HIT = wire.Hit(
    path=b"/home/ann/Pictures/caf\xe9.jpg",
    verdict="copy",
    distance=6,
    turn="rotate_90",
    width=1920,
    height=1080,
    size=345_678,
    format="JPEG",
    image="ab" * 32,
    frames=1,
    channels=3,
    orientation=6,
    upright=True,
    quality=88,
)

QUERY = wire.QueryInfo(
    width=640,
    height=480,
    size=51_234,
    format="PNG",
    image="cd" * 32,
    frames=1,
    orientation=1,
    quality=90,
    flat=False,
)

BEST = wire.GroupFile(
    path=b"/home/ann/Pictures/caf\xe9.png",
    verdict="best",
    distance=0,
    turn="none",
    width=1920,
    height=1080,
    size=345_678,
    format="PNG",
    image="ab" * 32,
)

MODEL = wire.ModelStatus(
    name="dinov2-small",
    chosen=True,
    usable=False,
    problem="the model dinov2-small was not added yet: pspc model add dinov2-small",
    key="",
    dimension=384,
    source="download",
    origin=b"https://models.example/dinov2-small.onnx",
    size=88_500_000,
    sha256="ab" * 32,
    licence="Apache-2.0",
)

REQUESTS: tuple[wire.Request, ...] = (
    wire.Hello(client="pspc 0.1.0"),
    wire.StatusRequest(),
    wire.RootsRequest(),
    wire.AddRoot(path=b"/home/ann/Pictures", include=["*.jpg"], exclude=["cache/*"], hidden=True),
    wire.RemoveRoot(path=b"/home/ann/Pictures"),
    wire.ConfirmRoot(path=b"/home/ann/Pictures/usb"),
    wire.PauseRoot(path=b"/home/ann/Pictures", action="resume"),
    wire.SearchRequest(mode="similar", distance=20, count=10),
    wire.WhyRequest(first_bytes=51_234, show=True),
    wire.PictureRequest(image="ab" * 32, longest=512, tags=True),
    wire.PreviewRequest(longest=640, tags=True),
    wire.DetailRequest(image="ab" * 32, part=wire.Rectangle(10, 20, 300, 200)),
    wire.PreviewDetailRequest(part=wire.Rectangle(0, 0, 70_000, 1)),
    wire.SyncRequest(),
    wire.FailuresRequest(after=b"\x00\x01", limit=500),
    wire.QuarantineRequest(retry=True, path=b"/home/ann/Pictures/poison.png"),
    wire.DuplicatesRequest(after=b"\x00\x01", limit=500, paths=[b"/home/ann/Pictures"]),
    wire.DistinctRequest(action="mark", images=["ab" * 32, "cd" * 32], after=10, limit=100),
    wire.DistancesRequest(),
    wire.StartJob(verb="check", deep=True, part=2, parts=7, path=b"/media/usb"),
    wire.JobRequest(job=3, after=10),
    wire.ModelsRequest(),
    wire.ModelChange(
        action="add", name="dinov2-small", path=b"/home/ann/caf\xe9.onnx", sha256="ab" * 32
    ),
    wire.StopRequest(),
)

REPLIES: tuple[wire.Reply, ...] = (
    wire.Welcome(server="pspd", version="0.1.0", protocol=1, pid=4242),
    wire.StatusReply(
        pid=4242,
        version="0.1.0",
        protocol=1,
        roots=[ROOT],
        indexed=1200,
        pictures=1100,
        pending=0,
        failed=3,
        not_pictures=2,
        stale=0,
        extracted=1103,
        rate=12.5,
        store_bytes=1_048_576,
        since="2026-01-02T03:04:05Z",
        features_version=1,
        notifier="watchdog",
    ),
    wire.RootsReply(roots=[ROOT]),
    wire.RootReply(root=ROOT),
    wire.SearchReply(query=QUERY, hits=[HIT], freshness=FRESHNESS, total=4, elapsed_ms=7.25),
    wire.WhyReply(
        verdict="copy",
        reasons=[
            wire.Reason("file", "parts", "the files differ"),
            wire.Reason("hash", "joins", "they differ in 6 bits", 6.0, 48.0, "--distance"),
        ],
        picture=b"\x89PNG",
    ),
    wire.PictureReply(
        picture=b"\xff\xd8\xff",
        width=1920,
        height=1080,
        size=345_678,
        format="JPEG",
        image="ab" * 32,
        frames=1,
        channels=3,
        orientation=6,
        paths=[b"/home/ann/Pictures/caf\xe9.jpg"],
        tags=[("Model", "X100")],
    ),
    wire.DetailReply(picture=b"\x89PNG", width=6000, height=4000),
    wire.SyncReply(freshness=FRESHNESS),
    wire.FailuresReply(
        failures=[
            wire.FailureEntry(
                path=b"/home/ann/Pictures/torn.png",
                reason="truncated",
                message="the file ends before the picture does",
            )
        ],
        next=b"\x00\x02",
    ),
    wire.QuarantineReply(
        entries=[
            wire.QuarantineEntry(
                path=b"/home/ann/Pictures/poison.png",
                reason="crashed",
                message="the worker was killed by SIGSEGV while it read this file",
                when="2026-01-02T03:04:05Z",
                deaths=2,
                decoder="pillow 13.0.0",
                image="ef" * 32,
            )
        ]
    ),
    wire.DuplicatesReply(
        groups=[
            wire.Group(
                files=[
                    BEST,
                    wire.GroupFile(
                        path=b"/home/ann/Pictures/small.jpg",
                        verdict="copy",
                        distance=6,
                        turn="rotate_90",
                        width=108,
                        height=192,
                        size=12_345,
                        format="JPEG",
                        image="cd" * 32,
                    ),
                ],
                waste=12_345,
                total=4,
                first=1,
            )
        ],
        total=7,
        waste=23_456,
        uncompared=9,
        freshness=FRESHNESS,
        next=b"\x00\x02",
    ),
    wire.DistinctReply(
        pairs=[
            wire.DistinctPair(
                first="ab" * 32,
                second="cd" * 32,
                when="2026-12-01T10:00:00Z",
                first_paths=[b"/home/ann/Pictures/caf\xe9.jpg"],
                second_paths=[],
            )
        ],
        changed=1,
        next=100,
    ),
    wire.DistancesReply(expected=[0.0, 0.5, 2.0]),
    wire.JobReply(
        job=3,
        step="files",
        done=10,
        total=20,
        finished=True,
        findings=[wire.Finding(level="value", text="files 00ff: a value is damaged")],
        found=1,
        summary="1 finding",
        restart=True,
        error="",
    ),
    wire.ModelsReply(models=[MODEL]),
    wire.Stopping(pid=4242),
    wire.ErrorReply(
        code="bad_query", message="no picture begins like this", reason="not_a_picture"
    ),
)

EVENTS: tuple[wire.Event, ...] = (
    wire.ProgressEvent(indexed=1200, pending=37, failed=3, rate=12.5),
    wire.ChangeEvent(
        kind="moved", path=b"/home/ann/Pictures/new.jpg", old_path=b"/home/ann/Pictures/old.jpg"
    ),
)

STATUS = next(reply for reply in REPLIES if isinstance(reply, wire.StatusReply))
FOUND = next(reply for reply in REPLIES if isinstance(reply, wire.SearchReply))

PROOF = wire.Proof(
    transform=[0.5, 0.0, 100.0, 0.0, 0.5, 50.0, 0.0, 0.0, 1.0],
    quadrilateral=[(100.0, 50.0), (420.0, 50.0), (420.0, 290.0), (100.0, 290.0)],
    query_quadrilateral=[(0.0, 0.0), (640.0, 0.0), (640.0, 480.0), (0.0, 480.0)],
    query_share=1.0,
    indexed_share=0.037,
    angle=0.0,
    mirrored=False,
    inliers=87,
    agreement=0.93,
    colour="gray",
)

LATER_REQUESTS = {
    "a search for the copies of a part": wire.SearchRequest(
        effort="fast", alike=True, budget_ms=1500, part=wire.Rectangle(10, 20, 300, 200)
    ),
}
"""With fields that the first bytes of a message do not have."""

PAUSED = msgspec.structs.replace(
    ROOT,
    state="unavailable",
    paused=True,
    problem="it is paused; to go on: pspc resume '/home/ann/Pictures'",
)

LATER_REPLIES = {
    "a folder that is paused": wire.RootReply(root=PAUSED),
    "a sync that left a paused folder out": wire.SyncReply(
        freshness=msgspec.structs.replace(
            FRESHNESS,
            unavailable_roots=[b"/home/ann/Pictures", b"/media/usb"],
            paused_roots=[b"/home/ann/Pictures"],
        )
    ),
    "a search with a proof": wire.SearchReply(
        query=QUERY,
        hits=[msgspec.structs.replace(HIT, likeness=0.875, proof=PROOF)],
        freshness=msgspec.structs.replace(
            FRESHNESS, model="sscd-distilled", described=81_000, describable=120_000, cut="proofs"
        ),
        total=1,
        elapsed_ms=412.5,
    ),
}
