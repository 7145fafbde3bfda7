# SPDX-License-Identifier: BSD-3-Clause
"""What numba's Python cannot say: unaligned loads, prefetch, sums under a mask, as LLVM code.

No KAME counterpart. Nothing here looks whether the octets are there: the caller has. All results
are 64 bits and signed, since numba makes floats of signed and unsigned integers together. Their
twins are methods of bytes and ``int``; each user has its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_process_triple
from numba import types
from numba.core import cgutils as untyped_cgutils

from kame_py.fast.batch import U8
from kame_py.fast.jit import primitive

cgutils: Final[Any] = untyped_cgutils
_I8: Final = ir.IntType(8)
_I32: Final = ir.IntType(32)
_I64: Final = ir.IntType(64)
_BLOCK: Final = 64  # octets of the widest vector, and of a line of the cache
STRETCH: Final = 1024  # octets that are fetched at once: fewer branches than line by line
_BLOCK_SHIFT: Final = 6
_BIG_ENDIAN: Final = get_process_triple().startswith(("s390x", "powerpc64-", "ppc64-"))

Octets = U8 | int  # an array, or what ``base`` says about it
Load = Callable[[Octets, int], int]


def _address(context: Any, builder: Any, array_type: Any, array: Any, off: Any) -> Any:
    """Pointer to octet ``off`` of an array, of bytes, or behind an address."""
    octets = _I8.as_pointer()
    if isinstance(array_type, types.Integer):
        start = builder.inttoptr(array, octets)
    elif isinstance(array_type, types.Bytes):
        start = builder.bitcast(context.make_helper(builder, array_type, array).data, octets)
    else:
        data = context.make_array(array_type)(context, builder, array).data
        start = builder.bitcast(data, octets)
    return builder.gep(start, [off])


def _base(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _address(context, builder, signature.args[0], args[0], _I64(0))
        return builder.ptrtoint(pointer, _I64)

    return types.int64(array), codegen


def _load(bits: int, swap: bool) -> Callable[..., Any]:
    """The maker of a load of so many bits."""

    def make(typingctx: Any, array: Any, off: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = _address(context, builder, signature.args[0], *args)
            typ = ir.IntType(bits)
            value = builder.load(builder.bitcast(pointer, typ.as_pointer()), align=1)
            if swap != _BIG_ENDIAN:
                value = builder.bswap(value)
            return value if bits == _I64.width else builder.zext(value, _I64)

        return types.int64(array, types.int64), codegen

    return make


def _le16(typingctx: Any, array: Any, off: Any) -> Any:
    return _load(16, False)(typingctx, array, off)


def _le32(typingctx: Any, array: Any, off: Any) -> Any:
    return _load(32, False)(typingctx, array, off)


def _be16(typingctx: Any, array: Any, off: Any) -> Any:
    return _load(16, True)(typingctx, array, off)


def _be32(typingctx: Any, array: Any, off: Any) -> Any:
    return _load(32, True)(typingctx, array, off)


def _be64(typingctx: Any, array: Any, off: Any) -> Any:
    return _load(64, True)(typingctx, array, off)


def _u8(typingctx: Any, array: Any, off: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _address(context, builder, signature.args[0], *args)
        return builder.zext(builder.load(pointer), _I64)

    return types.int64(array, types.int64), codegen


def _signed(typingctx: Any, value: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.cast(builder, args[0], signature.args[0], types.int64)

    return types.int64(value), codegen


def _fetch(lines: int, level: int, typingctx: Any, array: Any, off: Any) -> Any:
    """Prefetch of so many lines in a row."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        first = _address(context, builder, signature.args[0], *args)
        fnty = ir.FunctionType(ir.VoidType(), [first.type, _I32, _I32, _I32])
        fn = builder.module.declare_intrinsic("llvm.prefetch", [first.type], fnty)
        for line in range(lines):
            pointer = builder.gep(first, [_I64(line * _BLOCK)])
            builder.call(fn, [pointer, _I32(0), _I32(level), _I32(1)])  # a read, level, data
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


def _prefetch(typingctx: Any, array: Any, off: Any) -> Any:
    return _fetch(1, 3, typingctx, array, off)


def _prefetch_stretch(typingctx: Any, array: Any, off: Any) -> Any:
    return _fetch(STRETCH // _BLOCK, 3, typingctx, array, off)


def _prefetch_far(typingctx: Any, array: Any, off: Any) -> Any:
    return _fetch(STRETCH // _BLOCK, 2, typingctx, array, off)


def _sum512(typingctx: Any, array: Any, off: Any, size: Any) -> Any:
    """Blocks of 64 octets, the last one under a mask, in two sums of eight lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array_val, off_val, size_val = args
        start = _address(context, builder, signature.args[0], array_val, off_val)
        lanes = ir.VectorType(_I64, 8)
        sums = [cgutils.alloca_once_value(builder, ir.Constant(lanes, [0] * 8)) for _ in range(2)]

        def add(words: Any) -> None:
            low = builder.and_(words, ir.Constant(lanes, [0xFFFFFFFF] * 8))
            high = builder.lshr(words, ir.Constant(lanes, [32] * 8))
            for total, part in zip(sums, (low, high), strict=True):
                builder.store(builder.add(builder.load(total), part), total)

        whole = builder.lshr(size_val, _I64(_BLOCK_SHIFT))
        with cgutils.for_range(builder, whole) as loop:
            at = builder.gep(start, [builder.shl(loop.index, _I64(_BLOCK_SHIFT))])
            add(builder.load(builder.bitcast(at, lanes.as_pointer()), align=1))
        rest = builder.and_(size_val, _I64(_BLOCK - 1))
        at = builder.gep(start, [builder.shl(whole, _I64(_BLOCK_SHIFT))])
        add(builder.bitcast(_masked(builder, at, rest), lanes))
        both = builder.add(*(builder.load(total) for total in sums))
        fnty = ir.FunctionType(_I64, [lanes])
        name = "llvm.vector.reduce.add.v8i64"
        reduce = cgutils.get_or_insert_function(builder.module, fnty, name)
        return builder.call(reduce, [both])

    return types.int64(array, types.int64, types.int64), codegen


def _masked(builder: Any, at: Any, count: Any) -> Any:
    """The first ``count`` octets, fewer than 64, of a block; zeros behind them."""
    octets = ir.VectorType(_I8, _BLOCK)
    bits = ir.VectorType(ir.IntType(1), _BLOCK)
    mask = builder.bitcast(builder.sub(builder.shl(_I64(1), count), _I64(1)), bits)
    pointer = builder.bitcast(at, octets.as_pointer())
    fnty = ir.FunctionType(octets, [pointer.type, _I32, bits, octets])
    fn = cgutils.get_or_insert_function(builder.module, fnty, "llvm.masked.load.v64i8.p0")
    return builder.call(fn, [pointer, _I32(1), mask, ir.Constant(octets, [0] * _BLOCK)])


#: The address of an array's octets. Parts of a kernel take it and not the array, which they would
#: count references to; whoever calls them keeps the array.
base = cast("Callable[[U8 | bytes], int]", primitive(_base))
#: The octet at ``off``.
u8 = cast("Load", primitive(_u8))
#: 16, 32, 64 bits at ``off``, least octet first or network order.
le16 = cast("Load", primitive(_le16))
le32 = cast("Load", primitive(_le32))
be16 = cast("Load", primitive(_be16))
be32 = cast("Load", primitive(_be32))
be64 = cast("Load", primitive(_be64))
#: An element of an array as a number that can be added to others.
signed = cast("Callable[[np.integer[Any]], int]", primitive(_signed))
#: Fetch the line of ``off`` into the cache; it may lie outside.
prefetch = cast("Callable[[Octets, int], None]", primitive(_prefetch))
#: The same for STRETCH octets from ``off`` on.
prefetch_stretch = cast("Callable[[Octets, int], None]", primitive(_prefetch_stretch))
#: The same into the second-level cache.
prefetch_far = cast("Callable[[Octets, int], None]", primitive(_prefetch_far))
#: Sum of the 32-bit words, least octet first, of ``size`` octets at ``off``. AVX-512 only.
sum512 = cast("Callable[[Octets, int, int], int]", primitive(_sum512))
