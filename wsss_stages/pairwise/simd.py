"""Eight numbers at a time, for compiled loops.

LLVM vectorises a loop that adds one row to another only behind a test that the two do not overlap, which costs more than
a short row, and keeps no sum in registers over another loop; Numba has no way to ask for either. So these few operations are
spelled out. All are on flat float32 arrays, and nothing is checked.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WIDTH = 8
_ROW = ir.VectorType(ir.FloatType(), WIDTH)
_INDEX = ir.IntType(64)


@intrinsic
def add_scaled(context, out, i, scale, x, j):
    """`out[i : i + 8] += scale * x[j : j + 8]`."""

    def generate(context, builder, signature, arguments):
        out, i, scale, x, j = arguments
        to = _row(builder, _data(context, builder, signature.args[0], out), i)
        row = builder.load(_row(builder, _data(context, builder, signature.args[3], x), j), align=4)
        builder.store(_plus(builder, builder.load(to, align=4), _eight(builder, scale), row), to, align=4)
        return context.get_dummy_value()

    return types.void(out, i, scale, x, j), generate


@intrinsic
def add_three_scaled(context, out, i, x, scale_0, j_0, scale_1, j_1, scale_2, j_2):
    """The same for three rows of x at once."""

    def generate(context, builder, signature, arguments):
        out, i, x, *pairs = arguments
        to = _row(builder, _data(context, builder, signature.args[0], out), i)
        x = _data(context, builder, signature.args[2], x)
        total = builder.load(to, align=4)
        for scale, j in zip(pairs[::2], pairs[1::2], strict=True):
            total = _plus(builder, total, _eight(builder, scale), builder.load(_row(builder, x, j), align=4))
        builder.store(total, to, align=4)
        return context.get_dummy_value()

    return types.void(out, i, x, scale_0, j_0, scale_1, j_1, scale_2, j_2), generate


def weighted_sum(width: int):
    """A function of the compiled loops that adds up rows of `width` numbers, a multiple of 8, in registers."""

    @intrinsic
    def add_up(context, out, i, x, weights, places, start, end):
        """`out[i : i + width] = sum of weights[k] * x[places[k] :][:width] for k from start to end`; `places` are
        32-bit integers, all others 64."""

        def generate(context, builder, signature, arguments):
            out, i, x, weights, places, start, end = arguments
            out, x, weights, places = (
                _data(context, builder, signature.args[n], array)
                for n, array in ((0, out), (2, x), (3, weights), (4, places))
            )
            zero = ir.Constant(_ROW, [0.0] * WIDTH)
            sums = [cgutils.alloca_once_value(builder, zero) for _ in range(0, width, WIDTH)]
            for total in sums:
                builder.store(zero, total)
            with cgutils.for_range_slice(builder, start, end, _INDEX(1)) as (k, _):
                weight = _eight(builder, builder.load(builder.gep(weights, [k])))
                place = builder.sext(builder.load(builder.gep(places, [k])), _INDEX)
                for n, total in enumerate(sums):
                    row = builder.load(_row(builder, x, builder.add(place, _INDEX(n * WIDTH))), align=4)
                    builder.store(_plus(builder, builder.load(total), weight, row), total)
            for n, total in enumerate(sums):
                builder.store(builder.load(total), _row(builder, out, builder.add(i, _INDEX(n * WIDTH))), align=4)
            return context.get_dummy_value()

        return types.void(out, i, x, weights, places, start, end), generate

    return add_up


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
