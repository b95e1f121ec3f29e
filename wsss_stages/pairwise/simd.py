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
def smooth(context, out, i, x, j, before, after):
    """Compute `out[i : i + 8] = x[j:][:8] + (x[before:][:8] + x[after:][:8]) / 2`."""

    def generate(context, builder, signature, arguments):
        out, i, x, *places = arguments
        x = _data(context, builder, signature.args[2], x)
        middle, before, after = (builder.load(_row(builder, x, place), align=4) for place in places)
        both = builder.fadd(before, after, flags=("fast",))
        row = _plus(builder, middle, ir.Constant(_ROW, [0.5] * WIDTH), both)
        builder.store(row, _row(builder, _data(context, builder, signature.args[0], out), i), align=4)
        return context.get_dummy_value()

    return types.void(out, i, x, j, before, after), generate


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


def _reduction(start: float, combine):
    @intrinsic
    def reduce(context, x, i, width):
        def generate(context, builder, signature, arguments):
            x, i, width = arguments
            x = _data(context, builder, signature.args[0], x)
            found = cgutils.alloca_once_value(builder, ir.Constant(_ROW, [start] * WIDTH))
            builder.store(ir.Constant(_ROW, [start] * WIDTH), found)
            with cgutils.for_range_slice(builder, i, builder.add(i, width), _INDEX(WIDTH)) as (c, _):
                builder.store(combine(builder, builder.load(found), builder.load(_row(builder, x, c), align=4)), found)
            return _by_halves(builder, combine, builder.load(found))

        return types.float32(x, i, width), generate

    return reduce


def _larger(builder, a, b):
    return builder.select(builder.fcmp_ordered(">", a, b, flags=("fast",)), a, b)


def _added(builder, a, b):
    return builder.fadd(a, b, flags=("fast",))


def _by_halves(builder, combine, row):
    """Sum eight numbers to one."""
    for half in (4, 2, 1):
        low, high = (
            ir.Constant(ir.VectorType(ir.IntType(32), half), list(range(start, start + half))) for start in (0, half)
        )
        row = combine(builder, builder.shuffle_vector(row, row, low), builder.shuffle_vector(row, row, high))
    return builder.extract_element(row, ir.Constant(ir.IntType(32), 0))


row_max = _reduction(float("-inf"), _larger)
"""`max(x[i : i + width])`, `width` a multiple of 8."""
row_sum = _reduction(0.0, _added)
"""`sum(x[i : i + width])`."""


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
