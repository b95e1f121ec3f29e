"""Defaults that differ for other weak labels than boxes (Sec. 3.6): section -> option -> value."""

from typing import Any

WITHOUT_BOXES: dict[str, Any] = {"reg_weight": 0.3, "balanced_ce": True, "objects_share": 0.0}
"""lambda_1 and the loss as released for all but boxes; there are no soft masks of boxes."""

KINDS: dict[str, dict[str, dict[str, Any]]] = {
    "box": {},
    "scribble": {
        "affinity": {"seeds": "seeds"},
        "graph": {"seeds": "expanded"},
        "propagate": {"seeds": "expanded", **WITHOUT_BOXES},
    },
    "point": {
        "affinity": {"seeds": "seeds"},
        "graph": {"seeds": "seeds"},
        "propagate": {"seeds": "seeds", **WITHOUT_BOXES},
    },
    "tag": {
        "affinity": {"seeds": "seeds"},
        "graph": {"seeds": "cam"},
        "propagate": {"seeds": "seeds", "walk_share": 0.75, **WITHOUT_BOXES},
    },
    "mixed": {
        "affinity": {"seeds": "seeds"},
        "graph": {"seeds": "seeds"},
        "propagate": {"seeds": "seeds", "balanced_ce": True, "reg_weight": 0.01},
    },
}
