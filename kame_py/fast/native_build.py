# SPDX-License-Identifier: BSD-3-Clause
"""Make files of machine code from kernels that numba has compiled; native.py loads them.

No KAME counterpart. numba's own cache needs numba to be read, a third of a second; such a file
needs LLVM's loader only, some milliseconds. Around the compiled function goes one that takes
Python's arguments apart, and gives the interpreter's lock away meanwhile. Of Python it needs
functions of the stable interface, nothing else.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

import numba
from llvmlite import binding as untyped_binding
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target

from kame_py.fast.native import ENTRY

binding: Final[Any] = untyped_binding
_I8: Final = ir.IntType(8)
_I32: Final = ir.IntType(32)
_I64: Final = ir.IntType(64)
_P: Final = _I8.as_pointer()
_VOID: Final = ir.VoidType()
_VIEW: Final = ir.LiteralStructType([_P, _P, _I64, _I64, _I32, _I32, _P, _P, _P, _P, _P])
# Members of it; it is the Py_buffer of PEP 3118
_BUF: Final = 0
_LEN: Final = 2
_ITEMSIZE: Final = 3
_NDIM: Final = 5
_SHAPE: Final = 7
_PYBUF_ND: Final = 8  # octets that follow each other, and the shape
_WORD: Final = 8
_RETURNED: Final = (0, -2)  # what numba's functions return: all went well, or that and None
_FREED: Final = "NRT_MemInfo_call_dtor"  # arrays that a kernel makes: ours make none


class Unfit(Exception):
    """There is no such file for a kernel with these arguments or this result."""


def build(kernel: Any) -> bytes | None:
    """The file of a kernel that has been called; None: it is not for such a file."""
    if ctypes.sizeof(ctypes.c_void_p) != _WORD or not hasattr(binding, "create_pass_builder"):
        return None  # an old llvmlite has other passes
    if len(kernel.signatures) != 1:
        return None
    (signature,) = kernel.signatures
    if kernel.stats.cache_hits[signature]:  # numba has no LLVM code of what it had kept
        kernel = numba.njit(nogil=True)(kernel.py_func)
        kernel.compile(signature)
    made = kernel.overloads[signature].fndesc
    try:
        entry = Entry(made.llvm_func_name, made.argtypes, made.restype)
    except Unfit:
        return None
    module = binding.parse_assembly(kernel.inspect_llvm(signature))
    module.link_in(binding.parse_assembly(str(entry.module)))
    for function in module.functions:
        if not function.is_declaration and function.name != ENTRY:
            function.linkage = "internal"
    machine = _machine()
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    options = binding.create_pipeline_tuning_options()
    passes.run(module, binding.create_pass_builder(machine, options))
    if outside(module):
        return None
    octets: bytes = machine.emit_object(module)
    return octets


def outside(module: Any) -> list[str]:
    """Names that a module wants from elsewhere, Python's functions apart."""
    wanted = [f.name for f in module.functions if f.is_declaration]
    wanted = [name for name in wanted if not name.startswith(("llvm.", "Py"))]
    return wanted + [v.name for v in module.global_variables if v.is_declaration]


def _machine() -> Any:
    """What numba compiles for; functions may be far from each other."""
    _, cpu, features = cpu_target.target_context.codegen().magic_tuple()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="static", codemodel="large", jit=True
    )


class Entry:
    """The function that Python calls, as LLVM code. name: of the compiled one."""

    def __init__(self, name: str, argtypes: tuple[Any, ...], restype: Any) -> None:
        self.module = ir.Module("entry")
        self.module.triple = binding.get_process_triple()
        self._fn = ir.Function(self.module, ir.FunctionType(_P, [_P, _P.as_pointer(), _I64]), ENTRY)
        self._b = ir.IRBuilder(self._fn.append_basic_block())
        self._end = self._fn.append_basic_block()
        self._refused = self._fn.append_basic_block()
        self._result = self._variable(_P)
        views = [self._variable(_VIEW) for kind in argtypes if isinstance(kind, types.Array)]
        self._body(name, argtypes, restype, list(views))
        self._tail(views)
        freed = ir.Function(self.module, ir.FunctionType(_VOID, [_P]), _FREED)
        ir.IRBuilder(freed.append_basic_block()).ret_void()

    def _body(self, name: str, argtypes: tuple[Any, ...], restype: Any, views: list[Any]) -> None:
        b = self._b
        self._need(b.icmp_signed("==", self._fn.args[2], _I64(len(argtypes))), self._refused)
        given = [part for k, kind in enumerate(argtypes) for part in self._taken(k, kind, views)]
        if isinstance(restype, types.UniTuple):
            kind, count = restype.dtype, restype.count
        else:
            kind, count = restype, 1
        if kind not in (types.int64, types.boolean, types.none):
            raise Unfit(str(restype))
        out = self._variable(ir.ArrayType(_I8 if kind == types.boolean else _I64, count))
        thread = self._call("PyEval_SaveThread", _P)
        status = self._call(name, _I32, out, self._variable(_P), *given)
        self._call("PyEval_RestoreThread", _VOID, thread)
        good = [b.icmp_signed("==", status, _I32(code)) for code in _RETURNED]
        self._need(b.or_(*good), self._refused)
        items = [b.load(b.gep(out, [_I32(0), _I32(k)])) for k in range(count)]
        made = [self._object(kind, item) for item in items]
        b.store(self._tuple(made) if isinstance(restype, types.UniTuple) else made[0], self._result)
        b.branch(self._end)

    def _tail(self, views: list[Any]) -> None:
        b = self._b
        b.position_at_end(self._refused)
        self._call("PyErr_BadArgument", _I32)
        b.branch(self._end)
        b.position_at_end(self._end)
        for view in views:  # nothing happens to one that was not filled
            self._call("PyBuffer_Release", _VOID, view)
        b.ret(b.load(self._result))

    def _variable(self, kind: Any) -> Any:
        """A variable, all zeros."""
        place = self._b.alloca(kind)
        self._b.store(kind(None), place)
        return place

    def _call(self, name: str, ret: Any, *args: Any) -> Any:
        """Call a function that is elsewhere."""
        fn = self.module.globals.get(name)
        if fn is None:
            kind = ir.FunctionType(ret, [arg.type for arg in args])
            fn = ir.Function(self.module, kind, name)
        return self._b.call(fn, args)

    def _need(self, good: Any, otherwise: Any) -> None:
        """Go on only if it is so."""
        on = self._fn.append_basic_block()
        self._b.cbranch(good, on, otherwise)
        self._b.position_at_end(on)

    # -- arguments and results ----------------------------------------------------------------

    def _taken(self, k: int, kind: Any, views: list[Any]) -> list[Any]:
        """Argument ``k`` as numba's functions take it."""
        b = self._b
        given = b.load(b.gep(self._fn.args[1], [_I64(k)]))
        if isinstance(kind, types.Array) and kind.layout == "C":
            return self._array(given, kind, views.pop(0))
        if kind == types.int64:
            value = self._call("PyLong_AsLongLong", _I64, given)
            failed = self._call("PyErr_Occurred", _P)
            self._need(b.icmp_unsigned("==", failed, _P(None)), self._end)
            return [value]
        if kind == types.boolean:
            truth = self._call("PyObject_IsTrue", _I32, given)
            self._need(b.icmp_signed(">=", truth, _I32(0)), self._end)
            return [b.trunc(truth, _I8)]
        raise Unfit(str(kind))

    def _array(self, given: Any, kind: Any, view: Any) -> list[Any]:
        b, size = self._b, kind.dtype.bitwidth // 8
        failed = self._call("PyObject_GetBuffer", _I32, given, view, _I32(_PYBUF_ND))
        self._need(b.icmp_signed("==", failed, _I32(0)), self._end)
        buf, octets, itemsize, ndim, rows = (
            b.load(b.gep(view, [_I32(0), _I32(k)])) for k in (_BUF, _LEN, _ITEMSIZE, _NDIM, _SHAPE)
        )
        self._need(b.icmp_signed("==", itemsize, _I64(size)), self._refused)
        self._need(b.icmp_signed("==", ndim, _I32(kind.ndim)), self._refused)
        odd = b.and_(b.ptrtoint(buf, _I64), _I64(size - 1))
        self._need(b.icmp_signed("==", odd, _I64(0)), self._refused)
        rows = b.bitcast(rows, _I64.as_pointer())
        shape = [b.load(b.gep(rows, [_I64(d)])) for d in range(kind.ndim)]
        strides = [_I64(size)]
        for extent in reversed(shape[1:]):
            strides.insert(0, b.mul(strides[0], extent))
        count = b.sdiv(octets, _I64(size))
        return [_P(None), _P(None), count, _I64(size), buf, *shape, *strides]

    def _object(self, kind: Any, value: Any) -> Any:
        """A value as Python has it."""
        if kind == types.int64:
            return self._call("PyLong_FromLongLong", _P, value)
        if kind == types.boolean:
            return self._call("PyBool_FromLong", _P, self._b.zext(value, _I64))
        empty = self._variable(_I8)
        return self._call("Py_BuildValue", _P, empty)  # None

    def _tuple(self, items: list[Any]) -> Any:
        made = self._call("PyTuple_New", _P, _I64(len(items)))
        for k, item in enumerate(items):
            self._call("PyTuple_SetItem", _I32, made, _I64(k), item)
        return made
