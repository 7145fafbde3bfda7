# SPDX-License-Identifier: BSD-3-Clause
"""Loads, stores and the hash that the kernels of bulk.py are written with.

No KAME counterpart. Where numba is wanted they are LLVM instructions and ``kernel`` compiles;
elsewhere they are plain Python over the same arrays and ``kernel`` leaves a function as it is, so
each kernel is its own twin. Nothing is bounds-checked: callers look at lengths first, and an arena
has SLACK octets behind it. Words are little-endian and signed, as in intrin.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from kame_py.fast.batch import I64, U8
from kame_py.fast.cpu import CPU, Cpu

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F")

_WORD: Final = 8
_HALF: Final = 4
_MASK: Final = (1 << 64) - 1
_SIGN: Final = 1 << 63
# Odd multipliers of splitmix64 and murmur3's finish: they only have to mix.
_C0: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_C1: Final = 0x94D049BB133111EB - (1 << 64)
_C2: Final = 0xFF51AFD7ED558CCD - (1 << 64)
_LOW: Final = 0xFFFFFFFF


def _mix(k0: int, k1: int, s0: int, s1: int) -> int:
    a = (k0 ^ s0) * _C0
    b = (k1 ^ s1) * _C1
    a ^= (a >> 32) & _LOW
    b ^= (b >> 29) & _LOW
    h = (a + (b << 1)) * _C2
    return h ^ ((h >> 32) & _LOW)


if TYPE_CHECKING or CPU is Cpu.NONE:

    def kernel(fn: F) -> F:
        """The function itself."""
        return fn

    inlined = kernel

    def ld8(a: U8, i: int) -> int:
        """The octet at ``i``."""
        return int(a[i])

    def be16(a: U8, i: int) -> int:
        """Two octets in network order."""
        return int(a[i]) << 8 | int(a[i + 1])

    def ld64(a: U8, i: int) -> int:
        """Eight octets at ``i``."""
        return int(a[i : i + _WORD].view(np.int64)[0])

    def st64(a: U8, i: int, v: int) -> None:
        """Eight octets to ``i``."""
        a[i : i + _WORD].view(np.uint64)[0] = int(v) & _MASK

    def st32(a: U8, i: int, v: int) -> None:
        """Four octets to ``i``."""
        a[i : i + _HALF].view(np.uint32)[0] = int(v) & _LOW

    def copy(to: U8, at: int, src: U8, i: int, n: int) -> None:
        """``n`` octets from ``src`` at ``i`` to ``to`` at ``at``."""
        to[at : at + n] = src[i : i + n]

    def fetch(rows: I64, i: int) -> None:
        """Row ``i`` will be wanted soon."""

    def mix(k0: int, k1: int, s0: int, s1: int) -> int:
        """Hash of a 16-octet key under the secret (s0, s1)."""
        h = _mix(int(k0), int(k1), int(s0), int(s1)) & _MASK
        return h - 2 * (h & _SIGN)

else:
    from llvmlite import ir
    from numba import types

    from kame_py.fast.intrin import be16
    from kame_py.fast.intrin import u8 as ld8
    from kame_py.fast.jit import inlined, kernel, primitive

    __all__ = ["be16", "inlined", "kernel", "ld8"]

    _octet = ir.IntType(8).as_pointer()
    _i32 = ir.IntType(32)
    _i64 = ir.IntType(64)

    def _at(context: Any, builder: Any, typ: Any, array: Any, off: Any, bits: int = 8) -> Any:
        """Pointer to so many bits, ``off`` octets into an array."""
        data = builder.bitcast(context.make_array(typ)(context, builder, array).data, _octet)
        return builder.bitcast(builder.gep(data, [off]), ir.IntType(bits).as_pointer())

    def _ld64(typingctx: Any, a: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return builder.load(_at(context, builder, sig.args[0], args[0], args[1], 64), align=1)

        return types.int64(a, types.int64), codegen

    def _store(bits: int) -> Callable[..., Any]:
        def make(typingctx: Any, a: Any, i: Any, v: Any) -> Any:
            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                value = args[2] if bits == _i64.width else builder.trunc(args[2], _i32)
                at = _at(context, builder, sig.args[0], args[0], args[1], bits)
                builder.store(value, at, align=1)
                return context.get_dummy_value()

            return types.void(a, types.int64, types.int64), codegen

        return make

    def _st64(typingctx: Any, a: Any, i: Any, v: Any) -> Any:
        return _store(64)(typingctx, a, i, v)

    def _st32(typingctx: Any, a: Any, i: Any, v: Any) -> Any:
        return _store(32)(typingctx, a, i, v)

    def _copy(typingctx: Any, to: Any, at: Any, src: Any, i: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            dst = _at(context, builder, sig.args[0], args[0], args[1])
            source = _at(context, builder, sig.args[2], args[2], args[3])
            kind = ir.FunctionType(ir.VoidType(), [_octet, _octet, _i64, ir.IntType(1)])
            fn = builder.module.declare_intrinsic("llvm.memcpy", [_octet, _octet, _i64], kind)
            builder.call(fn, [dst, source, args[4], ir.IntType(1)(0)])
            return context.get_dummy_value()

        return types.void(to, types.int64, src, types.int64, types.int64), codegen

    def _fetch(typingctx: Any, rows: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array = context.make_array(sig.args[0])(context, builder, args[0])
            off = builder.mul(args[1], builder.extract_value(array.strides, 0))
            at = _at(context, builder, sig.args[0], args[0], off)
            kind = ir.FunctionType(ir.VoidType(), [_octet, _i32, _i32, _i32])
            fn = builder.module.declare_intrinsic("llvm.prefetch", [_octet], kind)
            builder.call(fn, [at, _i32(0), _i32(3), _i32(1)])  # a read, keep it, data
            return context.get_dummy_value()

        return types.void(rows, types.int64), codegen

    ld64 = cast("Callable[[U8, int], int]", primitive(_ld64))
    st64 = cast("Callable[[U8, int, int], None]", primitive(_st64))
    st32 = cast("Callable[[U8, int, int], None]", primitive(_st32))
    copy = cast("Callable[[U8, int, U8, int, int], None]", primitive(_copy))
    fetch = cast("Callable[[I64, int], None]", primitive(_fetch))
    mix = inlined(_mix)
