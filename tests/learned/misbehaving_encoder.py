"""The real encoder process, but that the red of a picture's first pixel says what it does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from pspd.learned import encoder_process
from pspd.learned.messages import Encoded, Failed
from pspd.learned.onnx_encoder import OnnxEncoder
from pspd.learned.preprocessing import Pixels

DIE, EXIT, LIE, SHORT, LONG = 1, 2, 3, 4, 5

_well = encoder_process._encoded


def _encoded(encoder: OnnxEncoder, batch: list[Pixels]) -> Encoded | Failed:
    reply = _well(encoder, batch)
    assert isinstance(reply, Encoded)
    match int(batch[0][0, 0, 0]):
        case 1:
            os.abort()
        case 2:
            os._exit(3)
        case 3:
            return Encoded(bytes(len(reply.descriptors)))
        case 4:
            return Encoded(reply.descriptors[:-4])
        case 5:
            return Encoded(reply.descriptors * 2)
        case _:
            pass
    return reply


encoder_process._encoded = _encoded

if __name__ == "__main__":
    encoder_process.main()
