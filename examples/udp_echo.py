# SPDX-License-Identifier: BSD-3-Clause
"""Programs of one's own beside the KAME tools: coroutines that make system calls in virtual time.

Run it: python examples/udp_echo.py
"""

from kame_py import KError, ProgOps, World
from kame_py.wire.sockaddr import AF_INET6, SOCK_DGRAM, SockaddrIn6

PORT = 7


async def echod(argv: list[str], ops: ProgOps) -> int:
    """Send every datagram back to where it came from, until a signal ends the program."""
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    await ops.bind(fd, SockaddrIn6(port=PORT))
    await ops.daemon()  # from here on the shell does not wait any more
    while True:
        got = await ops.recvmsg(fd)
        await ops.sendmsg(fd, got.data, got.addr)


async def echoc(argv: list[str], ops: ProgOps) -> int:
    """echoc HOST COUNT: send datagrams, wait a second for each one's echo."""
    server = await ops.getaddrinfo(argv[0])
    assert server is not None, argv[0]
    fd = await ops.socket(AF_INET6, SOCK_DGRAM, 0)
    await ops.connect(fd, server._replace(port=PORT))
    for n in range(int(argv[1])):
        began = ops.monotonic()
        try:
            await ops.sendmsg(fd, f"message {n}".encode())
            ready = await ops.poll((fd,), 1_000_000_000)
            text = (await ops.recvmsg(fd)).data.decode() if ready.readable else "nothing"
        except KError as problem:  # an ICMPv6 error came back: nobody listens there
            text = str(problem)
        ops.out(f"{text} after {(ops.monotonic() - began) / 1e6:g} ms\n")
    return 0


def main() -> None:
    world = World(seed=8)
    lan = world.add_link("lan", delay_ns=3_000_000, loss=0.2)
    a, b = world.add_node("a"), world.add_node("b")
    for node in (a, b):
        node.attach("fxp0", lan)
        node.run(f"ifconfig fxp0 inet6 2001:db8::{node.name} prefixlen 64 alias")
    world.run_for(2)
    b.add_program("echod", echod)  # from now on a command like any other
    a.add_program("echoc", echoc)
    b.run("echod")
    print(a.run("echoc 2001:db8::b 8").out)
    lan.impair(loss=0.0)
    b.run("kill echod")
    print(a.run("echoc 2001:db8::b 1").out)


if __name__ == "__main__":
    main()
