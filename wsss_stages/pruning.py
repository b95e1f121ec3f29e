"""Stale outputs: files of images that left the dataset, deleted by the shard that would hold them."""

import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from wsss_stages.contracts import Contract
from wsss_stages.data.hashes import stable_hash


def prune(manifest: Path, contracts: Iterable[Contract], known: Collection[str]) -> list[Path]:
    """Delete what the contracts' folders beside a manifest hold of images that are not known; which files, and says how many.

    Only files with the contract's suffix whose id belongs to this shard: another shard may be at work beside it. An image that
    is known but not in the shard keeps its files: of fewer `images`, all may be wanted again.
    """
    k, n = map(int, manifest.stem.split("-of-"))
    stale = [
        path
        for contract in contracts
        for path in sorted((manifest.parent / contract.name).glob(f"*{contract.suffix}"))
        if _is_ours(path, contract, k, n) and path.name.removesuffix(contract.suffix) not in known
    ]
    for path in stale:
        path.unlink(missing_ok=True)
    if stale:
        sys.stdout.write(f"{manifest}: {len(stale)} files of images that the index no longer has were deleted\n")
    return stale


def _is_ours(path: Path, contract: Contract, k: int, n: int) -> bool:
    """Whether a file is an artifact of shard `k` of `n`."""
    return (
        path.is_file() and not path.is_symlink() and stable_hash(path.name.removesuffix(contract.suffix)) % n == k - 1
    )
