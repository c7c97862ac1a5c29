"""Verbs that show pictures: small, and parts of them as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspd.rpc import wire

if TYPE_CHECKING:
    from pspc.asking import Asking


class LookingVerbs:
    """Methods of a connection."""

    def picture(
        self: Asking, image: str, longest: int = 256, *, tags: bool = False
    ) -> wire.PictureReply:
        """See an indexed picture, small, and where its files lie.

        Args:
            image: Content digest in hexadecimal, as of a hit.
            longest: Pixels of the longer side at most, 1 to 1,024.
            tags: Whether to have what its EXIF says.

        Raises:
            DaemonError: `bad_request`, when no indexed picture has this content, or none of its
                files can be read any more.
        """
        return self._ask(wire.PictureRequest(image, longest, tags), wire.PictureReply)

    def preview(
        self: Asking, image: bytes, longest: int = 1024, *, tags: bool = False
    ) -> wire.PictureReply:
        """See a picture that need not be indexed, as a search sees it.

        Args:
            image: The bytes of its file.
            longest: Pixels of the longer side at most, 1 to 1,024.
            tags: Whether to have what its EXIF says.

        Raises:
            DaemonError: `bad_query`, when the bytes are no image.
        """
        return self._ask(wire.PreviewRequest(longest, tags), wire.PictureReply, image=image)

    def detail(self: Asking, image: str, part: tuple[int, int, int, int]) -> wire.DetailReply:
        """See a part of an indexed picture, pixel for pixel where it has few enough.

        Args:
            image: Content digest in hexadecimal, as of a hit.
            part: Left, top, width and height, in pixels of the upright picture, in which it has to
                lie; of more than 1,024 a side it is scaled down to that.

        Raises:
            DaemonError: `bad_request`, as for `picture`, or when there is no such part.
        """
        return self._ask(wire.DetailRequest(image, wire.Rectangle(*part)), wire.DetailReply)

    def preview_detail(
        self: Asking, image: bytes, part: tuple[int, int, int, int]
    ) -> wire.DetailReply:
        """See a part of a picture that need not be indexed, likewise.

        Args:
            image: The bytes of its file.
            part: As for `detail`.

        Raises:
            DaemonError: `bad_query`, when the bytes are no image; `bad_request`, when there is no
                such part.
        """
        request = wire.PreviewDetailRequest(wire.Rectangle(*part))
        return self._ask(request, wire.DetailReply, image=image)
