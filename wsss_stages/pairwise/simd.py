"""Eight numbers at a time, for compiled loops.

LLVM vectorises a loop that adds one row to another only behind a test that the two do not overlap, which costs more than
a short row; Numba has no way to promise it. So this one operation is spelled out.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

WIDTH = 8
_ROW = ir.VectorType(ir.FloatType(), WIDTH)


@intrinsic
def add_scaled(context, out, i, scale, x, j):
    """`out[i : i + 8] += scale * x[j : j + 8]` for flat float32 arrays; nothing is checked."""

    def generate(context, builder, signature, arguments):
        out, i, scale, x, j = arguments
        to = _row(context, builder, signature.args[0], out, i)
        total = _add(builder, builder.load(to, align=4), scale, _row(context, builder, signature.args[3], x, j))
        builder.store(total, to, align=4)
        return context.get_dummy_value()

    return types.void(out, i, scale, x, j), generate


@intrinsic
def add_three_scaled(context, out, i, x, scale_0, j_0, scale_1, j_1, scale_2, j_2):
    """The same for three rows of x at once."""

    def generate(context, builder, signature, arguments):
        out, i, x, *pairs = arguments
        to = _row(context, builder, signature.args[0], out, i)
        total = builder.load(to, align=4)
        for scale, j in zip(pairs[::2], pairs[1::2], strict=True):
            total = _add(builder, total, scale, _row(context, builder, signature.args[2], x, j))
        builder.store(total, to, align=4)
        return context.get_dummy_value()

    return types.void(out, i, x, scale_0, j_0, scale_1, j_1, scale_2, j_2), generate


def _row(context, builder, kind, array, place):
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _ROW.as_pointer())


def _add(builder, total, scale, row):
    scales = ir.Constant(_ROW, ir.Undefined)
    for lane in range(WIDTH):
        scales = builder.insert_element(scales, scale, ir.Constant(ir.IntType(32), lane))
    return builder.fadd(total, builder.fmul(scales, builder.load(row, align=4), flags=("fast",)), flags=("fast",))
