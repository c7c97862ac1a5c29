"""Colours of the same places in two pictures → the word for what differs."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pspd.core.proof import Recolouring

Colours = npt.NDArray[np.uint8]
"""Places × (red, green, blue)."""

_COLOURLESS: Final = 5.0
"""Mean chroma (0 to about 200) of a picture without colour; JPEG leaves gray ones below 2."""

_COLOURFUL: Final = 10.0
"""Mean chroma of one that certainly has some."""

_HUE_TURN: Final = 15.0
"""Degrees by which all hues are turned, from where it is named."""

_HUES_APART: Final = 0.75
"""How far hues go together, 1 at most, below which they do not at all."""

_BRIGHTNESS: Final = 14.0
"""Levels of mean luminance from where a difference is named; recompression moves it by 1 or 2."""

_STRENGTH: Final = 1.4
"""Factor of contrast or saturation from where it is named."""

_LEAST_PLACES: Final = 16

_LUMINANCE: Final = np.array([0.299, 0.587, 0.114], np.float32)


def recolouring(query: Colours, indexed: Colours) -> Recolouring:
    """Name in what the query's colours differ from the indexed picture's, place by place."""
    if len(query) < _LEAST_PLACES:
        return Recolouring.NONE
    here, there = (colours.astype(np.float32) for colours in (query, indexed))
    light, light_there = here @ _LUMINANCE, there @ _LUMINANCE
    if _goes_against(light, light_there):
        return Recolouring.INVERTED
    chroma, chroma_there = _chroma(here), _chroma(there)
    mean, mean_there = float(np.abs(chroma).mean()), float(np.abs(chroma_there).mean())
    if mean < _COLOURLESS and mean_there > _COLOURFUL:
        return Recolouring.GRAY
    if mean > _COLOURFUL and mean_there < _COLOURLESS:
        return Recolouring.COLOURED
    if min(mean, mean_there) > _COLOURLESS and _is_hue_turned(chroma, chroma_there):
        return Recolouring.OTHER_HUE
    difference = float(light.mean() - light_there.mean())
    if abs(difference) > _BRIGHTNESS:
        return Recolouring.BRIGHTER if difference > 0 else Recolouring.DARKER
    contrast = _strength(float(light.std()), float(light_there.std()))
    return contrast if contrast is not Recolouring.NONE else _strength(mean, mean_there)


def _strength(here: float, there: float) -> Recolouring:
    """Compare two contrasts, or two mean chromas; nothing is said of what is hardly there."""
    if min(here, there) < _COLOURLESS:
        return Recolouring.NONE
    if here > _STRENGTH * there:
        return Recolouring.STRONGER
    return Recolouring.PALER if there > _STRENGTH * here else Recolouring.NONE


def _goes_against(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> bool:
    """Say whether what is light in one is dark in the other."""
    x, y = one - one.mean(), other - other.mean()
    return float((x * y).sum()) < -0.5 * float(np.sqrt((x * x).sum() * (y * y).sum()))


def _chroma(colours: npt.NDArray[np.float32]) -> npt.NDArray[np.complex64]:
    """Give each colour's distance and direction from gray: red against green, both against blue."""
    red, green, blue = colours.T
    chroma: npt.NDArray[np.complex64] = ((red - green) + 1j * ((red + green) / 2 - blue)).astype(
        np.complex64
    )
    return chroma


def _is_hue_turned(one: npt.NDArray[np.complex64], other: npt.NDArray[np.complex64]) -> bool:
    product = (one * other.conj()).sum()
    possible = float((np.abs(one) * np.abs(other)).sum())
    together = float(np.abs(product)) / max(possible, 1e-6)
    return together < _HUES_APART or abs(float(np.angle(product, deg=True))) > _HUE_TURN
