"""Pick the device, and tell in one sentence when torch and torchvision do not belong together."""

import sys

from wsss_stages import provenance


def pick(text: str) -> str:
    """`auto` to cuda where there is one, else cpu; other texts as they are."""
    import torch

    try:
        import torchvision  # noqa: F401
    except RuntimeError as error:
        sys.exit(
            f"torch {torch.__version__} and the installed torchvision are builds that do not fit each other ({error}); "
            "mend it with: pip install --force-reinstall torch torchvision"
        )
    if text == "auto":
        text = "cuda" if torch.cuda.is_available() else "cpu"
    if text.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(
            f"device {text} was asked for, but torch {torch.__version__} sees no CUDA device; use --device cpu or auto"
        )
    provenance.tell(
        device=torch.cuda.get_device_name(text)
        if text.startswith("cuda")
        else f"cpu, {torch.get_num_threads()} threads"
    )
    return text
