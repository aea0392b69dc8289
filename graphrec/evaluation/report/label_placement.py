"""Label placement: positions for the names of points in a figure that overlap neither points nor other names."""

from itertools import product

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Distances of a name from its point to try, in points of 1/72 inch; NEAR needs no line between them.
NEAR = 7.0
DISTANCES = (NEAR, 14.0, 24.0, 36.0, 50.0, 70.0, 95.0, 125.0)
DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.7), (-1, 0.7), (1, -0.7), (-1, -0.7))

#: Tolerance for rounding: a smaller hidden share counts as 0.
ROUNDING = 1e-9


def place(points: Floats, sizes: Floats, frame: tuple[float, float, float, float], scale: float = 1.0) -> Floats:
    """Centres [n, 2] of labels with sizes [n, 2] next to points [n, 2], within a frame and without overlap.

    Each label is put at the first free position: right, left, above or below its point, or between these, then further
    away; if no position is free, at the one that hides least. Lengths are in pixels, of which a point of 1/72 inch has
    `scale`.
    """
    radius = 4 * scale
    occupied = [np.concatenate([point - radius, point + radius]) for point in points]
    centres = np.empty_like(points)
    for row in np.argsort(-points[:, 1], kind="stable"):
        others = [box for k, box in enumerate(occupied) if k != row]
        least = np.inf
        for distance, direction in product(DISTANCES, DIRECTIONS):
            centre = points[row] + np.array(direction) * (distance * scale + sizes[row] / 2)
            box = np.concatenate([centre - sizes[row] / 2, centre + sizes[row] / 2])
            hidden = sum(_share(other, box) for other in others) + 1 - _share(box, np.array(frame))
            if hidden < least - ROUNDING:
                least, centres[row], best = hidden, centre, box
            if least < ROUNDING:
                break
        occupied.append(best)
    return centres


def _share(box: Floats, other: Floats) -> float:
    """The share of a box (left, bottom, right, top) that is inside another one, from 0 to 1."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(sides.clip(min=0).prod() / (box[2:] - box[:2]).prod())
