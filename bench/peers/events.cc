/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events of ns-3's scheduler: a hundred are under way, each sets the next one.
 *
 *     events EVENTS UNDER_WAY STEP_NS
 *
 * Does the work at each line of its input and answers the seconds of the processor that it took.
 */
#include <ctime>
#include <iostream>
#include <string>

#include <ns3/nstime.h>
#include <ns3/simulator.h>

static long left, ran;
static ns3::Time step;

static void again()
{
        ran++;
        if (left > 0) {
                left--;
                ns3::Simulator::Schedule(step, &again);
        }
}

static double seconds()
{
        timespec t;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
        if (argc < 4)
                return 1;
        const long events = std::stol(argv[1]), under_way = std::stol(argv[2]);
        step = ns3::NanoSeconds(std::stol(argv[3]));
        for (std::string line; std::getline(std::cin, line); ) {
                const double before = seconds();

                left = events;
                ran = 0;
                for (long i = 0; i < under_way; i++)
                        ns3::Simulator::Schedule(ns3::NanoSeconds(i), &again);
                ns3::Simulator::Run();
                const double took = seconds() - before;
                ns3::Simulator::Destroy();
                if (ran != events + under_way)
                        return 1;
                std::cout << took << std::endl;
        }
        return 0;
}
