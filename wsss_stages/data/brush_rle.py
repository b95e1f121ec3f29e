"""Label Studio's brush masks: run-length codes of thi.ng/rle-pack over the four equal channels of an RGBA image.

32 bits: number of values; 5: bits of a value less 1; four times 4: bits of a count less 1. Then records until all values are there: one bit
(1: one value many times), 2 bits: which of the four lengths the count has, the count less 1, and the value, or so many values.
Source: @thi.ng/rle-pack, and label_studio_converter/brush.py, which reads the same.
"""

import numpy as np

from wsss_stages.data.rle import RleError

COUNT_BITS = (3, 4, 8, 16)
"""Bits of the four lengths of a count that are written."""
CHANNELS = 4
MOST = 4 * 178_956_970
"""Values of the largest image that is read."""


def decode(code: list, height: int, width: int) -> np.ndarray:
    """Return (height, width) bool of a code: where the last channel is above 0. Raises RleError."""
    try:
        data = np.array(code, np.uint8) if all(type(byte) is int and 0 <= byte < 256 for byte in code) else None
    except (TypeError, ValueError):
        data = None
    if data is None or len(data) < 8:
        raise RleError("a run-length code that is no list of bytes")
    bits = _Bits(data)
    total, word = bits.take(32), bits.take(5) + 1
    sizes = [bits.take(4) + 1 for _ in range(4)]
    if total != height * width * CHANNELS or total > MOST:
        raise RleError(f"a run-length code of {total} values, not {height}x{width}x{CHANNELS}")
    values, counts = [], []
    done = 0
    while done < total:
        many = bits.take(1)
        length = bits.take(sizes[bits.take(2)]) + 1
        if done + length > total:
            raise RleError(f"run lengths of more than all {total} values")
        if many:
            values.append(np.array([bits.take(word)]))
            counts.append(np.array([length]))
        else:
            values.append(bits.words(length, word))
            counts.append(np.ones(length, int))
        done += length
    flat = np.repeat(np.concatenate(values) > 0, np.concatenate(counts))
    return flat.reshape(height, width, CHANNELS)[:, :, CHANNELS - 1]


def encode(mask: np.ndarray) -> list[int]:
    """Return the code of a (height, width) bool mask: 255 in all channels inside, 0 outside."""
    flat = mask.ravel()
    starts = np.flatnonzero(np.concatenate([[True], flat[1:] != flat[:-1]]))
    lengths = np.diff(np.concatenate([starts, [flat.size]])) * CHANNELS
    longest = 1 << COUNT_BITS[-1]
    pieces = -(-lengths // longest)
    last = pieces.cumsum() - 1
    counts = np.full(pieces.sum(), longest)
    counts[last] = lengths - (pieces - 1) * longest
    values = np.repeat(flat[starts], pieces)
    kind = np.searchsorted(1 << np.array(COUNT_BITS), counts)
    header = f"{flat.size * CHANNELS:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in COUNT_BITS)
    records = [
        f"1{k:02b}{n - 1:0{COUNT_BITS[k]}b}{255 if value else 0:08b}"
        for k, n, value in zip(kind.tolist(), counts.tolist(), values.tolist(), strict=True)
    ]
    text = header + "".join(records)
    return np.packbits(np.frombuffer(text.encode(), np.uint8) - ord("0")).tolist()


class _Bits:
    """The bits of a code, the first of a byte first."""

    def __init__(self, data: np.ndarray):
        self._bits, self._at = np.unpackbits(data), 0
        self._text = (self._bits + ord("0")).tobytes().decode()

    def take(self, count: int) -> int:
        """Return the next bits as a number. Raises RleError at the end."""
        end = self._at + count
        if end > len(self._bits):
            raise RleError("a run-length code that ends too early")
        value = int(self._text[self._at : end], 2)
        self._at = end
        return value

    def words(self, count: int, size: int) -> np.ndarray:
        """Return the next `count` numbers of `size` bits each."""
        end = self._at + count * size
        if end > len(self._bits):
            raise RleError("a run-length code that ends too early")
        words = self._bits[self._at : end].reshape(count, size)
        self._at = end
        return words @ (1 << np.arange(size - 1, -1, -1))
