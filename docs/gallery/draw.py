"""Draw the small pictures of the documentation again: python docs/gallery/draw.py [FOLDER]

FOLDER is one that `largedepth figures` has drawn into, results/figures by default; what it lacks is drawn
there first, from small samples. Commit what comes out.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
OPENING = HERE.parent / "figure-1.png"
"""The picture of the README and of the landing page."""
OPENING_WIDTH = 1320
GALLERY = (
    "2", "activations", "7", "small-width", "growth", "convergence", "normalised", "schedules",
    "post-activation", "spectrum", "kernel", "cosines", "transformers",
)  # fmt: skip
"""Names of the figures in the gallery, in its order."""
GALLERY_WIDTH = 760
COLOURS = (256, 192, 144, 112, 88, 72, 56)
MOST_BYTES = 60_000
"""A picture has as many colours as its size allows: with few, two curves may get one colour."""


def reduce(drawing: Path, picture: Path, width: int) -> None:
    """Write a drawing at a smaller width, with a palette."""
    with Image.open(drawing) as image:
        small = Image.new("RGB", image.size, "white")
        small.paste(image, mask=image.convert("RGBA").getchannel("A"))
        small.thumbnail((width, width), Image.Resampling.LANCZOS)
    for colours in COLOURS:
        palette = small.quantize(colours, method=Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
        palette.save(picture, optimize=True)
        if picture.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{picture}: more than {MOST_BYTES} bytes at width {width}; take a smaller width")


def main() -> None:
    """Draw what is not there yet, and reduce it."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/figures")
    missing = [name for name in ("1", *GALLERY) if not (folder / f"figure-{name}.png").exists()]
    if missing:
        command = [sys.executable, "-m", "largedepth", "figures", *missing, "--out", str(folder)]
        subprocess.run(command, check=True)
    reduce(folder / "figure-1.png", OPENING, OPENING_WIDTH)
    for name in GALLERY:
        reduce(folder / f"figure-{name}.png", HERE / f"figure-{name}.png", GALLERY_WIDTH)


if __name__ == "__main__":
    main()
