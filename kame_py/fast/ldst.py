# SPDX-License-Identifier: BSD-3-Clause
"""Loads, stores and the hash that the kernels of bulk.py are written with.

No KAME counterpart. Where numba is wanted they are LLVM instructions and ``kernel`` compiles;
elsewhere they are plain Python over the same arrays and ``kernel`` leaves a function as it is, so
each kernel is its own twin. ``base`` is where an array begins: for LLVM an address, so that no
kernel counts references to arrays. Nothing is bounds-checked: callers look at lengths first, and
an arena has SLACK octets behind it. Words are little-endian and signed, as in intrin.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import numpy as np

from kame_py.fast.batch import I64, U8, U32
from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.places import Base as Base
from kame_py.fast.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F")

_WORD: Final = 8
_HALF: Final = 4
_BLOCK: Final = 64  # octets of a line of the cache
_MASK: Final = (1 << 64) - 1
# Odd multipliers of splitmix64 and murmur3's finish: they only have to mix.
_C0: Final = 0xBF58476D1CE4E5B9 - (1 << 64)
_C1: Final = 0x94D049BB133111EB - (1 << 64)
_C2: Final = 0xFF51AFD7ED558CCD - (1 << 64)
_LOW: Final = 0xFFFFFFFF
_OCTET: Final = 0xFF


def _mix(k0: int, k1: int, s0: int, s1: int) -> int:
    h = k0 ^ s0
    h = (h ^ (h >> 32) & _LOW) * _C0
    h = h ^ (h >> 32) & _LOW ^ k1 ^ s1
    h = (h ^ (h >> 32) & _LOW) * _C1
    h = (h ^ (h >> 32) & _LOW) * _C2
    return h ^ (h >> 32) & _LOW


if TYPE_CHECKING or CPU is Cpu.NONE:

    def kernel(fn: F) -> F:
        """The function itself."""
        return fn

    inlined = kernel

    def base(a: U8 | U32 | I64) -> Base:
        """Where the array begins; it must stay alive."""
        return a.reshape(-1)

    def ld8(b: Base, i: int) -> int:
        """The octet at ``i``."""
        return int(b[i])

    def be16(b: Base, i: int) -> int:
        """Two octets in network order."""
        return int(b[i]) << 8 | int(b[i + 1])

    def ld32(b: Base, i: int) -> int:
        """Four octets at ``i``."""
        return int(b[i : i + _HALF].view(np.uint32)[0])

    def ld64(b: Base, i: int) -> int:
        """Eight octets at ``i``."""
        return int(b[i : i + _WORD].view(np.int64)[0])

    def st64(b: Base, i: int, v: int) -> None:
        """Eight octets to ``i``."""
        b[i : i + _WORD].view(np.uint64)[0] = int(v) & _MASK

    def st32(b: Base, i: int, v: int) -> None:
        """Four octets to ``i``."""
        b[i : i + _HALF].view(np.uint32)[0] = int(v) & _LOW

    def st8(b: Base, i: int, v: int) -> None:
        """The lowest octet of ``v`` to ``i``."""
        b[i] = v & _OCTET

    def half(b: Base, k: int) -> int:
        """Number ``k`` of an array of 32-bit numbers."""
        return int(b[k])

    def word(b: Base, k: int) -> int:
        """Word ``k`` of an array of words."""
        return int(b[k])

    def put_word(b: Base, k: int, v: int) -> None:
        """Word ``k`` becomes ``v``."""
        b[k] = v

    def put_half(b: Base, k: int, v: int) -> None:
        """Number ``k`` of an array of 32-bit numbers becomes ``v``."""
        b[k] = v

    def copy(to: Base, at: int, src: Base, i: int, n: int) -> None:
        """``n`` octets from ``src`` at ``i`` to ``to`` at ``at``."""
        to[at : at + n] = src[i : i + n]

    def copy64(to: Base, at: int, src: Base, i: int) -> None:
        """64 octets from ``src`` at ``i`` to ``to`` at ``at``."""
        to[at : at + _BLOCK] = src[i : i + _BLOCK]

    def opened(p: Places) -> Places:
        """What parts of kernels are handed."""
        return p

    def place(p: Places, k: int) -> Base:
        """``base`` of array ``k``."""
        return p[k]

    def fetch(b: Base, i: int) -> None:
        """The line of octet ``i`` will be wanted soon."""

    def mix(k0: int, k1: int, s0: int, s1: int) -> int:
        """Hash of a 16-octet key under the secret (s0, s1)."""
        h = _mix(k0, k1, s0, s1) & _MASK  # of as many bits as it took
        return h - (1 << 64) if h >> 63 else h

else:
    from llvmlite import ir
    from numba import types

    from kame_py.fast.jit import inlined, kernel, primitive

    _bit = ir.IntType(1)
    _octet = ir.IntType(8).as_pointer()
    _i32 = ir.IntType(32)
    _i64 = ir.IntType(64)

    def _at(builder: Any, start: Any, off: Any, bits: int = 8) -> Any:
        """Pointer to so many bits, ``off`` octets behind an address."""
        octets = builder.inttoptr(start, _octet)
        return builder.bitcast(builder.gep(octets, [off]), ir.IntType(bits).as_pointer())

    def _base(typingctx: Any, a: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            array = context.make_array(sig.args[0])(context, builder, args[0])
            return builder.ptrtoint(array.data, _i64)

        return types.int64(a), codegen

    def _load(bits: int, swap: bool, shift: int) -> Callable[..., Any]:
        """The maker of a load of so many bits; ``shift``: indices count 2 ** shift octets."""

        def make(typingctx: Any, b: Any, i: Any) -> Any:
            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                off = builder.shl(args[1], _i64(shift))
                value = builder.load(_at(builder, args[0], off, bits), align=1)
                if swap:
                    value = builder.bswap(value)
                return value if bits == _i64.width else builder.zext(value, _i64)

            return types.int64(types.int64, types.int64), codegen

        return make

    def _store(bits: int, shift: int) -> Callable[..., Any]:
        def make(typingctx: Any, b: Any, i: Any, v: Any) -> Any:
            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                off = builder.shl(args[1], _i64(shift))
                narrow = bits != _i64.width
                value = builder.trunc(args[2], ir.IntType(bits)) if narrow else args[2]
                builder.store(value, _at(builder, args[0], off, bits), align=1)
                return context.get_dummy_value()

            return types.void(types.int64, types.int64, types.int64), codegen

        return make

    def _ld8(typingctx: Any, b: Any, i: Any) -> Any:
        return _load(8, False, 0)(typingctx, b, i)

    def _be16(typingctx: Any, b: Any, i: Any) -> Any:
        return _load(16, True, 0)(typingctx, b, i)

    def _ld32(typingctx: Any, b: Any, i: Any) -> Any:
        return _load(32, False, 0)(typingctx, b, i)

    def _ld64(typingctx: Any, b: Any, i: Any) -> Any:
        return _load(64, False, 0)(typingctx, b, i)

    def _half(typingctx: Any, b: Any, k: Any) -> Any:
        return _load(32, False, 2)(typingctx, b, k)

    def _word(typingctx: Any, b: Any, k: Any) -> Any:
        return _load(64, False, 3)(typingctx, b, k)

    def _st8(typingctx: Any, b: Any, i: Any, v: Any) -> Any:
        return _store(8, 0)(typingctx, b, i, v)

    def _st32(typingctx: Any, b: Any, i: Any, v: Any) -> Any:
        return _store(32, 0)(typingctx, b, i, v)

    def _st64(typingctx: Any, b: Any, i: Any, v: Any) -> Any:
        return _store(64, 0)(typingctx, b, i, v)

    def _put_word(typingctx: Any, b: Any, k: Any, v: Any) -> Any:
        return _store(64, 3)(typingctx, b, k, v)

    def _put_half(typingctx: Any, b: Any, k: Any, v: Any) -> Any:
        return _store(32, 2)(typingctx, b, k, v)

    def _copy(typingctx: Any, to: Any, at: Any, src: Any, i: Any, n: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            dst = _at(builder, args[0], args[1])
            source = _at(builder, args[2], args[3])
            kind = ir.FunctionType(ir.VoidType(), [_octet, _octet, _i64, _bit])
            fn = builder.module.declare_intrinsic("llvm.memcpy", [_octet, _octet, _i64], kind)
            builder.call(fn, [dst, source, args[4], _bit(0)])
            return context.get_dummy_value()

        return types.void(*[types.int64] * 5), codegen

    def _copy64(typingctx: Any, to: Any, at: Any, src: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            kind = ir.VectorType(_i64, _BLOCK // _WORD).as_pointer()
            octets = builder.load(builder.bitcast(_at(builder, *args[2:]), kind), align=1)
            builder.store(octets, builder.bitcast(_at(builder, *args[:2]), kind), align=1)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 4), codegen

    def _fetch(typingctx: Any, b: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            at = _at(builder, args[0], args[1])
            kind = ir.FunctionType(ir.VoidType(), [_octet, _i32, _i32, _i32])
            fn = builder.module.declare_intrinsic("llvm.prefetch", [_octet], kind)
            builder.call(fn, [at, _i32(0), _i32(3), _i32(1)])  # a read, keep it, data
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    base = cast("Callable[[U8 | U32 | I64], Base]", primitive(_base))
    ld8 = cast("Callable[[Base, int], int]", primitive(_ld8))
    be16 = cast("Callable[[Base, int], int]", primitive(_be16))
    ld32 = cast("Callable[[Base, int], int]", primitive(_ld32))
    ld64 = cast("Callable[[Base, int], int]", primitive(_ld64))
    half = cast("Callable[[Base, int], int]", primitive(_half))
    word = cast("Callable[[Base, int], int]", primitive(_word))
    st8 = cast("Callable[[Base, int, int], None]", primitive(_st8))
    st32 = cast("Callable[[Base, int, int], None]", primitive(_st32))
    st64 = cast("Callable[[Base, int, int], None]", primitive(_st64))
    put_word = cast("Callable[[Base, int, int], None]", primitive(_put_word))
    put_half = cast("Callable[[Base, int, int], None]", primitive(_put_half))
    copy = cast("Callable[[Base, int, Base, int, int], None]", primitive(_copy))
    copy64 = cast("Callable[[Base, int, Base, int], None]", primitive(_copy64))
    fetch = cast("Callable[[Base, int], None]", primitive(_fetch))
    mix = inlined(_mix)
    opened = cast("Callable[[Places], Places]", base)
    place = cast("Callable[[Places, int], Base]", word)
