"""Pages of groups of copies, with what could become of their files by a person's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from pspc import documents
from pspc.deciding import choosing, keeping, library, proposing
from pspc.deciding.parting import Parting
from pspc.deciding.shots import Shots
from pspc.web.file_keys import encoded
from pspc.web.library import cursor
from pspc.web.schema import DuplicatesPage, ProposedFile, ProposedGroup, RulesDocument
from pspd.rpc import wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pspc.connection import Connection
    from pspc.deciding.plans import Line
    from pspc.schema import GroupDocument
    from pspc.web.endpoints import Nothing
    from pspc.web.file_keys import FileKeys
    from pspc.web.schema import Do
    from pspc.web.wishes import DuplicatesWish
    from pspc.web.workers import Workers


class _Groups(NamedTuple):
    """Some groups, each of them whole."""

    groups: list[wire.Group]
    last: wire.DuplicatesReply
    """The page on which the last of them ends."""


class Duplicates:
    """Lists groups of copies."""

    def __init__(self, workers: Workers, keys: FileKeys) -> None:
        self._workers = workers
        self._keys = keys

    async def page(self, wish: DuplicatesWish, _body: Nothing) -> DuplicatesPage:
        """List a page of groups, largest waste first."""
        after = cursor(wish)
        return await self._workers.ask(lambda connection: self._page(connection, wish, after))

    async def rules(self, _wish: Nothing, _body: Nothing) -> RulesDocument:
        """List the rules that say which copy to keep."""
        return RulesDocument(
            rules=[*wire.KEEP_RULES, f"{wire.PATH_RULE}GLOB"],
            default=await self._workers.ask(library.usual_rules),
        )

    def _page(
        self, connection: Connection, wish: DuplicatesWish, after: bytes | None
    ) -> DuplicatesPage:
        wishes = proposing.Wishes(
            keeping.rules(wish.keep or library.usual_rules(connection)),
            wish.limit_do,
            apart=library.told_apart(connection),
        )
        found, last = _whole(connection, after, wish.limit)
        hits = library.hits_of(connection)
        shots = Shots()
        parts = Parting(shots, hits).parts
        roots = library.watched_folders(connection) if wish.across_roots else None
        choice = choosing.Choice(wish.verdict, roots, None if wish.all_shots else parts)
        groups = [each for group in found for each in choice.groups(group)]
        proposed: dict[bytes, Line] = {
            line.path: line
            for lines in proposing.proposals(
                (library.outside_trash(part) for group in groups for part in parts(group.files)),
                wishes,
                library.relations_of(hits),
                shots,
            )
            for line in lines
        }
        plain = documents.duplicates([structs.replace(last, groups=groups)], choice.left_out)
        return DuplicatesPage(
            groups=[
                self._group(document, group, proposed)
                for document, group in zip(plain.groups, groups, strict=True)
            ],
            total=plain.total,
            waste=plain.waste,
            left_out=plain.left_out,
            uncompared=plain.uncompared,
            freshness=plain.freshness,
            next=None if last.next is None else encoded(last.next),
        )

    def _group(
        self, document: GroupDocument, group: wire.Group, proposed: Mapping[bytes, Line]
    ) -> ProposedGroup:
        files = [
            ProposedFile(
                **structs.asdict(each),
                key=self._keys.key(file.path),
                do=_do(proposed.get(file.path)),
                why=_why(proposed.get(file.path)),
            )
            for each, file in zip(document.files, group.files, strict=True)
        ]
        return ProposedGroup(waste=document.waste, files=files)


def _whole(connection: Connection, after: bytes | None, limit: int) -> _Groups:
    """Ask for a page, and for as many more as its last group goes on on."""
    groups: list[wire.Group] = []
    for reply in connection.duplicates(limit=limit, after=after):
        for group in reply.groups:
            if group.first and groups:
                files = [*groups[-1].files, *group.files]
                groups[-1] = structs.replace(groups[-1], files=files)
            else:
                groups.append(group)
        if reply.next is None or not groups or _is_whole(groups[-1]):
            break
    return _Groups(groups, reply)


def _is_whole(group: wire.Group) -> bool:
    return group.first + len(group.files) >= group.total


def _do(line: Line | None) -> Do:
    if line is None or line.do == "link":
        return "stay"
    return line.do


def _why(line: Line | None) -> str:
    return "" if line is None else line.why or line.verdict
