# SPDX-License-Identifier: BSD-3-Clause
"""The [node.NAME] tables of a lab: kernel, interfaces, files, rc.

No KAME counterpart.
"""

import re
from dataclasses import replace
from typing import Final

from kame_py.kern.conf import KernConf
from kame_py.lab.kernconf import KernConfResult, parse_kernel_list, parse_kernel_text
from kame_py.lab.labscope import MTU_MAX, MTU_MIN, NAME, Scope
from kame_py.lab.schema import InterfaceSpec, NodeSpec
from kame_py.lab.tomllines import Path
from kame_py.lab.tomlreader import Table
from kame_py.wire import in6addr

NODE_KEYS: Final = ("kernel", "interfaces", "files", "rc", "forwarding")
INTERFACE_KEYS: Final = ("link", "mac", "mtu")
NODES_MAX: Final = 0xFFFF
INTERFACES_MAX: Final = 0xFF
MAC_OUI: Final = bytes((0x00, 0xA0, 0x24))
GROUP_BIT: Final = 0x01  # IEEE 802: the first octet's lowest bit

_IFNAME: Final = re.compile(r"[a-z]+[0-9]+")
_IFNAME_MAX: Final = 15  # IFNAMSIZ without its NUL
_OWN_DEVICES: Final = re.compile(r"(lo|hif|gif)[0-9]+")
_LINKLOCAL_PREFIX: Final = b"\xfe\x80" + bytes(6)


def read_nodes(scope: Scope, nodes: Table) -> None:
    """Fill scope.nodes and the {node.if.*} values; rc has to wait for the hosts."""
    for number, (name, value) in enumerate(nodes.items(), 1):
        path: Path = ("node", name)
        if not NAME.fullmatch(name):
            scope.error(path, f"{name!r} is no node name: letters, digits, - and _ only")
        if number > NODES_MAX:
            scope.error(path, f"more than {NODES_MAX} nodes")
            return
        table = scope.as_table(value, path) or {}
        scope.check_keys(table, path, NODE_KEYS)
        scope.nodes[name] = NodeSpec(
            name=name,
            line=scope.lines.of(path),
            kernel=_kernel(scope, table, (*path, "kernel")),
            interfaces=_interfaces(scope, table, (*path, "interfaces"), number),
            files=_files(scope, table, (*path, "files")),
            forwarding=scope.flag(table, (*path, "forwarding")),
        )
    _refuse_shared_macs(scope)


def run_rc(scope: Scope, nodes: Table) -> None:
    """Parse every node's rc, now that all values are known."""
    for name, node in scope.nodes.items():
        path: Path = ("node", name, "rc")
        table = nodes[name]
        text = scope.text(table, path) if isinstance(table, dict) else None
        if text is not None:
            scope.nodes[name] = replace(node, rc=scope.commands(text, path))


def _kernel(scope: Scope, table: Table, path: Path) -> KernConf:
    value = table.get("kernel")
    if isinstance(value, list):
        result = parse_kernel_list(scope.texts(table, path))
        _report_list(scope, path, result)
        return result.conf
    text = scope.text(table, path)
    if text is None:
        return KernConf()
    result = parse_kernel_text(text)
    for error in result.errors:
        scope.error_in_text(path, error.line, error.text)
    for note in result.notes:
        scope.note_in_text(path, note.line, note.text)
    return result.conf


def _report_list(scope: Scope, path: Path, result: KernConfResult) -> None:
    for error in result.errors:
        scope.error((*path, error.line - 1), error.text)
    for note in result.notes:
        scope.note_in_text((*path, note.line - 1), 1, note.text)


def _interfaces(scope: Scope, table: Table, path: Path, node: int) -> dict[str, InterfaceSpec]:
    found: dict[str, InterfaceSpec] = {}
    for number, (name, value) in enumerate(scope.table(table, path).items(), 1):
        where: Path = (*path, name)
        if number > INTERFACES_MAX:
            scope.error(where, f"more than {INTERFACES_MAX} interfaces")
            break
        _check_interface_name(scope, where, name)
        found[name] = _interface(scope, where, value, _default_mac(node, number))
        _name_values(scope, where, found[name].mac)
    return found


def _check_interface_name(scope: Scope, path: Path, name: str) -> None:
    if not _IFNAME.fullmatch(name) or len(name) > _IFNAME_MAX:
        scope.error(path, f"{name!r} is no interface name: letters, then a number, as in fxp0")
    elif _OWN_DEVICES.fullmatch(name):
        scope.error(path, f"{name}: the kernel makes this one itself")


def _interface(scope: Scope, path: Path, value: object, mac: bytes) -> InterfaceSpec:
    name, line = str(path[-1]), scope.lines.of(path)
    if isinstance(value, str):
        if value not in scope.links:
            scope.unknown(path, "link", value, scope.links)
        return InterfaceSpec(name, line, value, mac)
    if not isinstance(value, dict):
        scope.wrong_kind(path, "a link's name or a table", value)
        return InterfaceSpec(name, line, "", mac)
    scope.check_keys(value, path, INTERFACE_KEYS)
    return InterfaceSpec(
        name=name,
        line=line,
        link=scope.link_name(value, (*path, "link")),
        mac=_mac(scope, value, (*path, "mac")) or mac,
        mtu=scope.integer(value, (*path, "mtu"), MTU_MIN, MTU_MAX),
    )


def _mac(scope: Scope, table: Table, path: Path) -> bytes | None:
    text = scope.text(table, path)
    if text is None:
        return None
    mac = in6addr.mac_aton(text)
    if mac is None:
        scope.error(path, f"mac: {text}: not an Ethernet address")
    elif next(iter(mac)) & GROUP_BIT:
        scope.error(path, f"mac: {text}: a group address cannot be an interface's own")
    return mac


def _default_mac(node: int, interface: int) -> bytes:
    return MAC_OUI + bytes((node >> 8, node & 0xFF, interface))


def _name_values(scope: Scope, path: Path, mac: bytes) -> None:
    prefix = f"{path[1]}.{path[-1]}"
    eui64 = in6addr.eui64(mac)
    groups = eui64.hex(":", 2).split(":")
    scope.values[f"{prefix}.mac"] = in6addr.mac_ntoa_padded(mac)
    scope.values[f"{prefix}.eui64"] = ":".join(f"{int(group, 16):x}" for group in groups)
    scope.values[f"{prefix}.linklocal"] = in6addr.ntop(_LINKLOCAL_PREFIX + eui64)


def _refuse_shared_macs(scope: Scope) -> None:
    owners: dict[bytes, str] = {}
    for node in scope.nodes.values():
        for interface in node.interfaces.values():
            owner = owners.setdefault(interface.mac, f"{node.name}.{interface.name}")
            if owner != f"{node.name}.{interface.name}":
                text = in6addr.mac_ntoa_padded(interface.mac)
                path: Path = ("node", node.name, "interfaces", interface.name)
                scope.error(path, f"mac: {text} is {owner}'s already")


def _files(scope: Scope, table: Table, path: Path) -> dict[str, str]:
    files = scope.table(table, path)
    found: dict[str, str] = {}
    for name in files:
        if not name.startswith("/") or name.endswith("/"):
            scope.error((*path, name), f"{name!r}: a file's name begins with / and names a file")
        text = scope.text(files, (*path, name))
        if text is not None:
            found[name] = text
    return found
