# SPDX-License-Identifier: BSD-3-Clause
"""Many messages side by side in vectors of 16 words: the LLVM code that hmac_kernels.py is made of.

No KAME counterpart. Everything works on plain addresses: a scratch area on the stack, and octets
whose place the caller has checked. A lane is one message; LANES is 32 with AVX-512, where a second
vector fills the waits of the first, else 16. Read kame_py/fast/digests.py first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils as untyped_cgutils
from numpy.typing import NDArray

from kame_py.fast.cpu import CPU, Cpu
from kame_py.fast.digests import BLOCK, MASK, MD5, SHA1, SHA256, WORDS, Digest
from kame_py.fast.jit import primitive

cgutils: Final[Any] = untyped_cgutils
_I1: Final = ir.IntType(1)
_I8: Final = ir.IntType(8)
_I32: Final = ir.IntType(32)
_I64: Final = ir.IntType(64)
_VECTOR: Final = ir.VectorType(_I32, WORDS)
_PICKS: Final = ir.VectorType(_I1, WORDS)
_OCTETS: Final = ir.VectorType(_I8, BLOCK)
_QUADS: Final = ir.VectorType(_I64, BLOCK // 8)
_GROUPS: Final = 2 if CPU is Cpu.AVX512 else 1
_BIG_QUAD: Final = ir.FunctionType(_QUADS, [_QUADS])

LANES: Final = WORDS * _GROUPS
ROW: Final = 4 * LANES  # octets of one word of every lane
ALL: Final = (1 << LANES) - 1
_LENGTH_AT: Final = BLOCK - 8  # in the last block, with all three digests

# Tables of vpternlogd: the result for each triple of bits, first operand highest.
_T_XOR3, _T_PICK, _T_MOST, _T_MD5_I = 0x96, 0xCA, 0xE8, 0x39


def _splat(typ: Any, n: int) -> Any:
    return ir.Constant(typ, [n] * typ.count)


def _call(builder: Any, name: str, result: Any, args: Sequence[Any]) -> Any:
    fnty = ir.FunctionType(result, [a.type for a in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, fnty, name), args)


def _at(builder: Any, address: Any, typ: Any, plus: int = 0) -> Any:
    """Pointer to a value at an address."""
    if plus:
        address = builder.add(address, _I64(plus))
    return builder.inttoptr(address, typ.as_pointer())


# -- a digest's operations on all groups of lanes, turn by turn --------------------------------

_Groups = tuple[Any, ...]


class _VectorOps:
    """Ops of digests.py; between two that depend on each other lies that of another group."""

    def __init__(self, builder: Any) -> None:
        self._b = builder

    def const(self, n: int) -> _Groups:
        return (_splat(_VECTOR, n),) * _GROUPS

    def add(self, a: _Groups, b: _Groups) -> _Groups:
        return tuple(self._b.add(x, y) for x, y in zip(a, b, strict=True))

    def xor(self, a: _Groups, b: _Groups) -> _Groups:
        return tuple(self._b.xor(x, y) for x, y in zip(a, b, strict=True))

    def xor3(self, a: _Groups, b: _Groups, c: _Groups) -> _Groups:
        return self._three(_T_XOR3, a, b, c)

    def pick(self, by: _Groups, a: _Groups, b: _Groups) -> _Groups:
        return self._three(_T_PICK, by, a, b)

    def most(self, a: _Groups, b: _Groups, c: _Groups) -> _Groups:
        return self._three(_T_MOST, a, b, c)

    def md5_i(self, b: _Groups, c: _Groups, d: _Groups) -> _Groups:
        return self._three(_T_MD5_I, b, c, d)

    def rotl(self, a: _Groups, n: int) -> _Groups:
        by = _splat(_VECTOR, n)
        return tuple(_call(self._b, "llvm.fshl.v16i32", _VECTOR, (x, x, by)) for x in a)

    def shr(self, a: _Groups, n: int) -> _Groups:
        return tuple(self._b.lshr(x, _splat(_VECTOR, n)) for x in a)

    def _three(self, table: int, *operands: _Groups) -> _Groups:
        return tuple(self._logic(table, *each) for each in zip(*operands, strict=True))

    def _logic(self, table: int, x: Any, y: Any, z: Any) -> Any:
        b = self._b
        if CPU is Cpu.AVX512:
            args = (x, y, z, _I32(table))
            return _call(b, "llvm.x86.avx512.pternlog.d.512", _VECTOR, args)
        if table == _T_PICK:
            return b.xor(z, b.and_(x, b.xor(y, z)))
        if table == _T_MOST:
            return b.or_(b.and_(x, y), b.and_(z, b.or_(x, y)))
        if table == _T_MD5_I:
            return b.xor(y, b.or_(x, b.xor(z, _splat(_VECTOR, MASK))))
        return b.xor(x, b.xor(y, z))


def _rows(builder: Any, address: Any, count: int) -> list[_Groups]:
    """So many words of every lane."""
    return [
        tuple(
            builder.load(_at(builder, address, _VECTOR, ROW * k + BLOCK * g), align=BLOCK)
            for g in range(_GROUPS)
        )
        for k in range(count)
    ]


def _put_rows(builder: Any, address: Any, rows: Sequence[_Groups], masks: _Groups | None) -> None:
    """Store them; under a mask, what was there stays in the other lanes."""
    for k, row in enumerate(rows):
        for g, value in enumerate(row):
            to = _at(builder, address, _VECTOR, ROW * k + BLOCK * g)
            if masks is not None:
                value = builder.select(masks[g], value, builder.load(to, align=BLOCK))
            builder.store(value, to, align=BLOCK)


def _function(builder: Any, name: str, args: int, body: Callable[..., None]) -> Any:
    """A function of this module, compiled once and called from several places."""
    module = builder.module
    if name in module.globals:
        return module.globals[name]
    fn = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64] * args), name)
    fn.linkage = "internal"
    fn.attributes.add("noinline")
    inside = ir.IRBuilder(fn.append_basic_block())
    body(inside, *fn.args)
    inside.ret_void()
    return fn


def _compress(digest: Digest) -> Callable[..., Any]:
    """compress(state, words, mask): one more block in the lanes of the mask."""

    def body(b: Any, state: Any, words: Any, mask: Any) -> None:
        masks = tuple(
            b.bitcast(b.trunc(b.lshr(mask, _I64(WORDS * g)), ir.IntType(WORDS)), _PICKS)
            for g in range(_GROUPS)
        )
        before = _rows(b, state, len(digest.init))
        after = digest.compress(_VectorOps(b), before, _rows(b, words, WORDS))
        _put_rows(b, state, after, masks)

    def make(typingctx: Any, state: Any, words: Any, mask: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            name = f"kame_{digest.name}_x{LANES}"
            builder.call(_function(builder, name, len(args), body), args)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return make


def _md5(typingctx: Any, state: Any, words: Any, mask: Any) -> Any:
    return _compress(MD5)(typingctx, state, words, mask)


def _sha1(typingctx: Any, state: Any, words: Any, mask: Any) -> Any:
    return _compress(SHA1)(typingctx, state, words, mask)


def _sha256(typingctx: Any, state: Any, words: Any, mask: Any) -> Any:
    return _compress(SHA256)(typingctx, state, words, mask)


# -- blocks of many messages into words of many lanes ------------------------------------------


def _shuffles(pattern: Sequence[int]) -> Any:
    return ir.Constant(ir.VectorType(_I32, len(pattern)), list(pattern))


def _quarters(pattern: Sequence[int]) -> Any:
    """A pattern of four words, alike in each quarter; 16 and more: of the second vector."""
    return _shuffles([4 * q + n for q in range(4) for n in pattern])


_LOW32: Final = _quarters((0, 16, 1, 17))
_HIGH32: Final = _quarters((2, 18, 3, 19))
_LOW64: Final = _quarters((0, 1, 16, 17))
_HIGH64: Final = _quarters((2, 3, 18, 19))
_EVEN: Final = _shuffles([4 * q + n for q in (0, 2, 4, 6) for n in range(4)])
_ODD: Final = _shuffles([4 * q + n for q in (1, 3, 5, 7) for n in range(4)])


def _transposed(b: Any, rows: Sequence[Any]) -> list[Any]:
    """16 vectors of 16 words, columns for rows."""
    fours: list[list[Any]] = []  # word k of each quarter, for four rows
    for r in range(0, WORDS, 4):
        low = [b.shuffle_vector(rows[r + n], rows[r + n + 1], _LOW32) for n in (0, 2)]
        high = [b.shuffle_vector(rows[r + n], rows[r + n + 1], _HIGH32) for n in (0, 2)]
        fours.append(
            [b.shuffle_vector(*pair, m) for pair in (low, high) for m in (_LOW64, _HIGH64)]
        )
    out: list[Any] = [None] * WORDS
    for k in range(4):
        halves = [(fours[0][k], fours[1][k]), (fours[2][k], fours[3][k])]
        for odd, first in enumerate((_EVEN, _ODD)):
            pair = [b.shuffle_vector(*half, first) for half in halves]
            out[4 * odd + k] = b.shuffle_vector(*pair, _EVEN)
            out[4 * (odd + 2) + k] = b.shuffle_vector(*pair, _ODD)
    return out


def _swapped(b: Any, vector: Any) -> Any:
    return _call(b, "llvm.bswap.v16i32", _VECTOR, (vector,))


def _gather(big: bool) -> Callable[..., Any]:
    """gather(words, places, plus): the block at each lane's place + plus."""

    def body(b: Any, words: Any, places: Any, plus: Any) -> None:
        for g in range(_GROUPS):
            rows = []
            for lane in range(WORDS * g, WORDS * g + WORDS):
                place = b.load(_at(b, places, _I64, 8 * lane))
                rows.append(b.load(_at(b, b.add(place, plus), _VECTOR), align=1))
            for k, column in enumerate(_transposed(b, rows)):
                value = _swapped(b, column) if big else column
                b.store(value, _at(b, words, _VECTOR, ROW * k + BLOCK * g), align=BLOCK)

    def make(typingctx: Any, words: Any, places: Any, plus: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            name = f"kame_gather_{'be' if big else 'le'}"
            builder.call(_function(builder, name, len(args), body), args)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, types.int64), codegen

    return make


def _gather_le(typingctx: Any, words: Any, places: Any, plus: Any) -> Any:
    return _gather(False)(typingctx, words, places, plus)


def _gather_be(typingctx: Any, words: Any, places: Any, plus: Any) -> Any:
    return _gather(True)(typingctx, words, places, plus)


def _close(digest: Digest) -> Callable[..., Any]:
    """close(state, words): the inner digest as the padded block of the outer one."""
    bits = 8 * (BLOCK + digest.size)
    quad = [bits, 0] if not digest.big else [0, bits]
    mark = 0x80 if not digest.big else 0x80000000
    zeros = WORDS - len(quad) - len(digest.init) - 1

    def make(typingctx: Any, state: Any, words: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            rows = _rows(builder, args[0], len(digest.init))
            ops = _VectorOps(builder)
            rows += [ops.const(n) for n in (mark, *[0] * zeros, *quad)]
            _put_rows(builder, args[1], rows, None)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return make


def _close_md5(typingctx: Any, state: Any, words: Any) -> Any:
    return _close(MD5)(typingctx, state, words)


def _close_sha1(typingctx: Any, state: Any, words: Any) -> Any:
    return _close(SHA1)(typingctx, state, words)


def _close_sha256(typingctx: Any, state: Any, words: Any) -> Any:
    return _close(SHA256)(typingctx, state, words)


def _pad(typingctx: Any, to: Any, src: Any, rest: Any, bits: Any) -> Any:
    """The end of a message, padded, in the two blocks at ``to``; 64 octets at src are read."""

    def codegen(context: Any, b: Any, signature: Any, args: Any) -> Any:
        to, src, rest, bits = args
        places = ir.Constant(_OCTETS, list(range(BLOCK)))
        one = b.insert_element(_splat(_OCTETS, 0), b.trunc(rest, _I8), _I32(0))
        here = b.shuffle_vector(one, one, ir.Constant(ir.VectorType(_I32, BLOCK), [0] * BLOCK))
        octets = b.load(_at(b, src, _OCTETS), align=1)
        octets = b.select(b.icmp_unsigned("<", places, here), octets, _splat(_OCTETS, 0))
        marked = b.icmp_unsigned("==", places, here)
        octets = b.select(marked, _splat(_OCTETS, 0x80), octets)
        length = b.insert_element(_splat(_QUADS, 0), bits, _I32(_LENGTH_AT // 8))
        fits = b.icmp_unsigned("<", rest, _I64(_LENGTH_AT))
        first = b.select(fits, length, _splat(_QUADS, 0))
        first = b.or_(b.bitcast(octets, _QUADS), first)
        b.store(first, _at(b, to, _QUADS), align=BLOCK)
        b.store(length, _at(b, to, _QUADS, BLOCK), align=BLOCK)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), codegen


# -- memory ------------------------------------------------------------------------------------


def _stack(typingctx: Any, size: Any) -> Any:
    """Address of so many octets on the stack, until the kernel returns."""
    if not isinstance(size, types.IntegerLiteral):
        return None  # numba asks again, with the number
    octets = size.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with builder.goto_entry_block():  # alloca_once would fill it, octet by octet
            area = builder.alloca(ir.ArrayType(_I8, octets))
        area.align = BLOCK
        return builder.ptrtoint(area, _I64)

    return types.int64(size), codegen


def _address(typingctx: Any, array: Any) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.ptrtoint(data, _I64)

    return types.int64(array), codegen


def _get(bits: int) -> Callable[..., Any]:
    def make(typingctx: Any, at: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(_at(builder, args[0], ir.IntType(bits)), align=1)
            return value if bits == _I64.width else builder.zext(value, _I64)

        return types.int64(types.int64), codegen

    return make


def _put(bits: int) -> Callable[..., Any]:
    def make(typingctx: Any, at: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = args[1] if bits == _I64.width else builder.trunc(args[1], ir.IntType(bits))
            builder.store(value, _at(builder, args[0], ir.IntType(bits)), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    return make


def _get8(typingctx: Any, at: Any) -> Any:
    return _get(8)(typingctx, at)


def _get32(typingctx: Any, at: Any) -> Any:
    return _get(32)(typingctx, at)


def _get64(typingctx: Any, at: Any) -> Any:
    return _get(64)(typingctx, at)


def _put8(typingctx: Any, at: Any, value: Any) -> Any:
    return _put(8)(typingctx, at, value)


def _put32(typingctx: Any, at: Any, value: Any) -> Any:
    return _put(32)(typingctx, at, value)


def _put64(typingctx: Any, at: Any, value: Any) -> Any:
    return _put(64)(typingctx, at, value)


def _swap(bits: int) -> Callable[..., Any]:
    def make(typingctx: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = args[0] if bits == _I64.width else builder.trunc(args[0], _I32)
            value = builder.bswap(value)
            return value if bits == _I64.width else builder.zext(value, _I64)

        return types.int64(types.int64), codegen

    return make


def _swap32(typingctx: Any, value: Any) -> Any:
    return _swap(32)(typingctx, value)


def _swap64(typingctx: Any, value: Any) -> Any:
    return _swap(64)(typingctx, value)


S = TypeVar("S", bound=np.generic)
Steps = Callable[[int, int, int], None]

#: One more block: addresses of the state and of the words, lanes as bits.
md5 = cast("Steps", primitive(_md5))
sha1 = cast("Steps", primitive(_sha1))
sha256 = cast("Steps", primitive(_sha256))
#: Words of every lane from blocks: to, address of the places, octets behind each place.
gather_le = cast("Steps", primitive(_gather_le))
gather_be = cast("Steps", primitive(_gather_be))
#: The words of the outer block from the inner state.
close_md5 = cast("Callable[[int, int], None]", primitive(_close_md5))
close_sha1 = cast("Callable[[int, int], None]", primitive(_close_sha1))
close_sha256 = cast("Callable[[int, int], None]", primitive(_close_sha256))
#: to, src, octets of the message there, its length in bits as it is stored.
pad = cast("Callable[[int, int, int, int], None]", primitive(_pad))
stack = cast("Callable[[int], int]", primitive(_stack))
address = cast("Callable[[NDArray[Any]], int]", primitive(_address))
get8 = cast("Callable[[int], int]", primitive(_get8))
get32 = cast("Callable[[int], int]", primitive(_get32))
get64 = cast("Callable[[int], int]", primitive(_get64))
put8 = cast("Callable[[int, int], None]", primitive(_put8))
put32 = cast("Callable[[int, int], None]", primitive(_put32))
put64 = cast("Callable[[int, int], None]", primitive(_put64))
swap32 = cast("Callable[[int], int]", primitive(_swap32))
swap64 = cast("Callable[[int], int]", primitive(_swap64))
