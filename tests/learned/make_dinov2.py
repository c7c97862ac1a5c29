"""Make a small DINOv2 of random weights, and what the reference implementation says of pictures.

    pip install torch transformers onnx
    python -m tests.learned.make_dinov2

writes `golden/dinov2.onnx` and `golden/dinov2.json`. The architecture is that of
facebook/dinov2-small (patches of 14 pixels, positions of 518 pixels that are interpolated, layer
scale), but 32 numbers wide and 2 layers deep. The reference is transformers: its image processor
with the settings of that model's `preprocessor_config.json`, and its model.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image

from tests.learned.pictures import noise

GOLDEN = Path(__file__).parent / "golden"
MODEL = GOLDEN / "dinov2.onnx"
EXPECTED = GOLDEN / "dinov2.json"

SIZES = ((640, 480), (300, 500), (224, 224), (1000, 90), (3, 2))
"""Width and height of the pictures."""
STEP = 28
"""Of the 224 pixels a side, each so many are kept."""
WIDTH, LAYERS, HEADS = 32, 2, 2
SEED = 3

PREPROCESSING = {
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 0.00392156862745098,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}
"""`preprocessor_config.json` of facebook/dinov2-small."""


class ClassAndPatches(torch.nn.Module):  # type: ignore[misc]
    """Gives what an exported DINOv2 gives: the last hidden state alone."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Return N × 257 × width."""
        return self.model(pixel_values).last_hidden_state


def main() -> None:
    """Make both files."""
    torch.manual_seed(SEED)
    model = reference()
    processor = transformers.BitImageProcessorPil(**PREPROCESSING)
    values = [
        processor(Image.fromarray(picture), return_tensors="pt")["pixel_values"]
        for picture in (noise(number, width=w, height=h) for number, (w, h) in enumerate(SIZES))
    ]
    batch = torch.cat(values)
    with torch.no_grad():
        tokens = model(batch).last_hidden_state[:, 0].numpy()
    export(ClassAndPatches(model), batch)
    pixels = batch.numpy()[:, :, ::STEP, ::STEP]
    EXPECTED.write_text(
        json.dumps(
            {
                "made by": f"transformers {transformers.__version__}, torch {torch.__version__}",
                "sizes": SIZES,
                "step": STEP,
                "pixel_values": np.round(pixels.astype(np.float64), 5).tolist(),
                "class_tokens": np.round(tokens.astype(np.float64), 5).tolist(),
            }
        )
        + "\n"
    )


def reference() -> torch.nn.Module:
    """Make the model; weights as of `__init__` are so small that all pictures look the same."""
    config = transformers.Dinov2Config(
        hidden_size=WIDTH,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        patch_size=14,
        image_size=518,
        mlp_ratio=4,
        layerscale_value=1.0,
    )
    model = transformers.Dinov2Model(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0.0, 0.15)
    return model


def export(model: torch.nn.Module, example: torch.Tensor) -> None:
    """Export as the exports on the hub are: any number of pictures, names of transformers."""
    torch.onnx.export(
        model,
        (example,),
        MODEL,
        input_names=["pixel_values"],
        output_names=["last_hidden_state"],
        dynamic_axes={"pixel_values": {0: "batch_size"}, "last_hidden_state": {0: "batch_size"}},
        opset_version=17,
        dynamo=False,
    )


if __name__ == "__main__":
    main()
