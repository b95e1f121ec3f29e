"""Weak labels in, pixel masks and a trained segmentation model out; every step a cached stage.

Notation: thesis symbol -> code name -> axes
    I           image        (h, w, 3) uint8 RGB; x right, y down
    B_k, L_Bk   boxes        (k, 4) x0 y0 x1 y1 in pixels, 0-based, half open; classes (k,) in 1..N
    P_fg        cam          (k, h, w) in [0, 1], one row per class present (Eq. 2.3)
    M_I, M'_I   M_I, M_I_top (h, w) CAM label, its confident part (Eqs. 3.1, 3.5)
    M_B         M_B          (h, w) GrabCut label (Eqs. 3.2-3.3)
    M_F, M_g    M_F, M_g     (h, w) merged seeds, confident seeds (Eqs. 3.4-3.5)
    -           P            list of (y, x) per box: probability of its object at the box's pixels (ours)
    D, E        E            (n, h, w) edges to the n neighbours of a window (Eqs. 3.8, 3.14)
    X           X            (nodes, d) node features, rows summing to 1 (Eq. 3.15)
    H^l, P^l    H, P         (nodes, d) hidden features, attention over the window (Eqs. 3.16-3.18)
    P, F        P, features  (c, y, x), (d, y, x) class probabilities, deep features at stride 4 (Eqs. 4.5-4.6)
    K, K_f      K, K_f       (n, y, x) kernels of the pairs of a half window (Eqs. 4.6, 4.13)
    M           M            (y, x) labels that the network is sure of (Eq. 4.7)
    O           O            (nodes, c) class probabilities (Eq. 3.19)
    F_s, M_s    F_s, M_s     (b, d, y, x) features of supports, (b, y, x) their masks at the nodes (Eq. 5.1)
    v_s, v_pri, v_aux   V    (b, n, d) vectors that guide the query (Eqs. 5.1, 5.5, 5.6)
    U_s^k       U            (K,) quality of the supports (Eq. 5.16)
In every label map 0 is background, 1..N a class and 255 unknown.

For use from Python: `DenseCrf`, `random_walk`, `pseudo_labels`, and the modules `nn`, `losses` and `pipeline`. All else may change.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # editors and type checkers see the names that `__getattr__` finds
    from wsss_stages import losses, nn, pipeline
    from wsss_stages.labels.crf import DenseCrf
    from wsss_stages.labels.random_walk import random_walk
    from wsss_stages.pipeline import pseudo_labels

UNKNOWN = 255
_HOMES = {"DenseCrf": "labels.crf", "random_walk": "labels.random_walk", "pseudo_labels": "pipeline"}
_MODULES = ("losses", "nn", "pipeline")
__all__ = ["UNKNOWN", "DenseCrf", "losses", "nn", "pipeline", "pseudo_labels", "random_walk"]


def __getattr__(name: str) -> Any:
    """Import the requested name: torch takes seconds, and most stages' `--help` needs none of it."""
    if name in _HOMES:
        return getattr(import_module(f"wsss_stages.{_HOMES[name]}"), name)
    if name in _MODULES:
        return import_module(f"wsss_stages.{name}")
    raise AttributeError(f"module 'wsss_stages' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return sorted(__all__)
