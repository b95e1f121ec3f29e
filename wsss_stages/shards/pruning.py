"""Files of images that are no longer in a shard, deleted when the shard is finished."""

from collections.abc import Collection
from pathlib import Path

from wsss_stages.data.index import stable_hash


def prune(folder: Path, suffix: str, wanted: Collection[str], shard: str) -> list[Path]:
    """Delete a contract's files of images that belong to shard `k-of-n` by the hash of their ids, but are not wanted.

    Other shards' images, other suffixes and folders stay. Returns the deleted files.
    """
    k, n = map(int, shard.split("-of-"))
    stale = []
    for path in sorted(folder.glob(f"*{suffix}")):
        image_id = path.name.removesuffix(suffix)
        if path.is_file() and stable_hash(image_id) % n == k - 1 and image_id not in wanted:
            path.unlink()
            stale.append(path)
    return stale
