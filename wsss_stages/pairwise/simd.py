"""Eight numbers at a time, for compiled loops.

LLVM vectorises a loop that adds one row to another only behind a test that the two do not overlap, which costs more than
a short row, and keeps no sum in registers over another loop; Numba has no way to ask for either. So these two operations are
spelled out. All are on flat float32 arrays, and nothing is checked.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WIDTH = 8
_ROW = ir.VectorType(ir.FloatType(), WIDTH)
_INDEX = ir.IntType(64)


def weighted_sum(width: int):
    """Return a function for compiled loops that adds up rows of `width` numbers, a multiple of 8, in registers."""

    @intrinsic
    def add_up(context, out, i, weights, places, start, end, x, step, shift):
        """Compute `out[i:][:width] += weights[k] * x[places[k] * step + shift:][:width]`, summed over k from start to
        end; `places` are 32-bit integers, all others 64.
        """

        def generate(context, builder, signature, arguments):
            out, i, weights, places, start, end, x, step, shift = arguments
            out, weights, places, x = (
                _data(context, builder, signature.args[n], array)
                for n, array in ((0, out), (2, weights), (3, places), (6, x))
            )
            to = [_row(builder, out, builder.add(i, _INDEX(n))) for n in range(0, width, WIDTH)]
            sums = [cgutils.alloca_once_value(builder, builder.load(row, align=4)) for row in to]
            with cgutils.for_range_slice(builder, start, end, _INDEX(1)) as (k, _):
                weight, place = _pair(builder, weights, places, k, step, shift)
                for n, total in enumerate(sums):
                    row = builder.load(_row(builder, x, builder.add(place, _INDEX(n * WIDTH))), align=4)
                    builder.store(_plus(builder, builder.load(total), weight, row), total)
            for row, total in zip(to, sums, strict=True):
                builder.store(builder.load(total), row, align=4)
            return context.get_dummy_value()

        return types.void(out, i, weights, places, start, end, x, step, shift), generate

    return add_up


def weighted_spread(width: int):
    """Return the transpose: a function that adds a row of `width` numbers, held in registers, to many rows."""

    @intrinsic
    def spread(context, x, i, weights, places, start, end, out, step, shift):
        """Compute `out[places[k] * step + shift:][:width] += weights[k] * x[i:][:width]` for k from start to end."""

        def generate(context, builder, signature, arguments):
            x, i, weights, places, start, end, out, step, shift = arguments
            x, weights, places, out = (
                _data(context, builder, signature.args[n], array)
                for n, array in ((0, x), (2, weights), (3, places), (6, out))
            )
            rows = [builder.load(_row(builder, x, builder.add(i, _INDEX(n))), align=4) for n in range(0, width, WIDTH)]
            with cgutils.for_range_slice(builder, start, end, _INDEX(1)) as (k, _):
                weight, place = _pair(builder, weights, places, k, step, shift)
                for n, row in enumerate(rows):
                    to = _row(builder, out, builder.add(place, _INDEX(n * WIDTH)))
                    builder.store(_plus(builder, builder.load(to, align=4), weight, row), to, align=4)
            return context.get_dummy_value()

        return types.void(x, i, weights, places, start, end, out, step, shift), generate

    return spread


def _pair(builder, weights, places, k, step, shift):
    """Return the k-th weight, eight times, and the beginning of its row."""
    place = builder.zext(builder.load(builder.gep(places, [k])), _INDEX)
    return _eight(builder, builder.load(builder.gep(weights, [k]))), builder.add(builder.mul(place, step), shift)


def _data(context, builder, kind, array):
    return context.make_array(kind)(context, builder, array).data


def _row(builder, data, place):
    return builder.bitcast(builder.gep(data, [place]), _ROW.as_pointer())


def _eight(builder, number):
    row = ir.Constant(_ROW, ir.Undefined)
    for lane in range(WIDTH):
        row = builder.insert_element(row, number, ir.Constant(ir.IntType(32), lane))
    return row


def _plus(builder, total, weight, row):
    return builder.fadd(total, builder.fmul(weight, row, flags=("fast",)), flags=("fast",))
