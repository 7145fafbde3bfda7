# SPDX-License-Identifier: BSD-3-Clause
"""An experiment: how much of a ping gets through a link that loses frames, from 0 to 50 per cent?

A request and its answer both have to arrive, so (1-p)**2 is expected; neighbour discovery, which
is lost as well and tried again, costs some more. Ten runs per line, each with its own seed.
Run it: python examples/loss_sweep.py
"""

from statistics import mean, pstdev

from kame_py import World

RUNS = 10
PINGS = 100


def one_run(loss: float, seed: int) -> tuple[float, int]:
    """(answered share, frames that the link lost)."""
    world = World(seed=seed)
    radio = world.add_link("radio", delay_ns=5_000_000, jitter_ns=2_000_000)
    a, b = world.add_node("a"), world.add_node("b")
    for node in (a, b):
        node.attach("fxp0", radio)
        node.run(f"ifconfig fxp0 inet6 2001:db8::{node.name} prefixlen 64 alias")
    world.run_for(3)

    radio.impair(loss=loss)  # from now on; any member of Impairment by its name
    text = a.run(f"ping6 -q -c {PINGS} 2001:db8::b").out
    words = text.split("packets transmitted, ")[1].split()
    return int(words[0]) / PINGS, radio.counters.lost


def main() -> None:
    print(f"{'loss':>5} {'expected':>9} {'answered':>9} {'spread':>7} {'frames lost':>12}")
    for percent in range(0, 51, 10):
        loss = percent / 100
        runs = [one_run(loss, seed) for seed in range(RUNS)]
        answered = [share for share, _ in runs]
        frames = sum(lost for _, lost in runs)
        print(
            f"{loss:5.0%} {(1 - loss) ** 2:9.1%} {mean(answered):9.1%} "
            f"{pstdev(answered):7.1%} {frames:12}"
        )


if __name__ == "__main__":
    main()
