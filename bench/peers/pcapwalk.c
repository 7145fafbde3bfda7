/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Read a capture as fast as C does: map the file, go over its records, find the transport header.
 *
 *     pcapwalk FILE [prefetch]
 *
 * Classic pcap with the byte order of the machine, Ethernet. A batch of 1024 packets goes into
 * columns: offset, length, stamp, transport protocol, its offset, offsets of a home address option
 * and of a routing header, flags. With `prefetch` the walk loads memory 4 KiB ahead of itself.
 * Prints the number of packets, the sums of the transport offsets (from the IPv6 header) and
 * protocols, and how many home address options and routing headers there are.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 1024, AHEAD = 4096, HEADERS_MAX = 50 };
enum { FILE_HEADER = 24, RECORD_HEADER = 16, ETHER_HEADER = 14, IP6_HEADER = 40 };
enum { HOPOPTS = 0, ROUTING = 43, FRAGMENT = 44, AH = 51,
       NONE = 59, DSTOPTS = 60 };
enum { HOME_ADDRESS = 0xc9 };
enum { F_IP6 = 1, F_TRUNCATED = 2, F_UNUSUAL = 4, F_HAO = 8, F_RH = 16 };

struct columns {
        uint64_t off[BATCH], ts[BATCH];
        uint32_t caplen[BATCH], wirelen[BATCH];
        uint16_t l4_off[BATCH], hao_off[BATCH], rh_off[BATCH];
        uint8_t l4_proto[BATCH], flags[BATCH];
};

static struct columns col;

static uint32_t word(const uint8_t *at)
{
        uint32_t v;

        memcpy(&v, at, sizeof(v));
        return v;
}

/* The home address option among destination options; 0: none. */
static uint16_t home_address(const uint8_t *p, uint32_t at, uint32_t end)
{
        for (at += 2; at + 1 < end; ) {
                if (p[at] == 0) {
                        at++;
                        continue;
                }
                if (p[at] == HOME_ADDRESS)
                        return (uint16_t)at;
                at += 2u + p[at + 1];
        }
        return 0;
}

static void annotate(int i, const uint8_t *p, uint32_t len)
{
        uint32_t at = ETHER_HEADER + IP6_HEADER;
        uint8_t nxt, flags = F_IP6;

        col.l4_off[i] = col.hao_off[i] = col.rh_off[i] = 0;
        col.l4_proto[i] = NONE;
        if (len < at || p[12] != 0x86 || p[13] != 0xdd || p[ETHER_HEADER] >> 4 != 6) {
                col.flags[i] = F_UNUSUAL;
                return;
        }
        nxt = p[ETHER_HEADER + 6];
        if (at + ((uint32_t)p[ETHER_HEADER + 4] << 8 | p[ETHER_HEADER + 5]) > len)
                flags |= F_TRUNCATED;
        for (int headers = 0; ; headers++) {
                uint32_t size;

                if (nxt != HOPOPTS && nxt != DSTOPTS && nxt != ROUTING && nxt != AH &&
                    nxt != FRAGMENT)
                        break;
                if (headers == HEADERS_MAX || at + 8 > len) {
                        flags |= F_TRUNCATED;
                        break;
                }
                size = nxt == AH ? (p[at + 1] + 2u) * 4 : (p[at + 1] + 1u) * 8;
                if (nxt == FRAGMENT)
                        size = 8;
                if (at + size > len) {
                        flags |= F_TRUNCATED;
                        break;
                }
                if (nxt == ROUTING) {
                        col.rh_off[i] = (uint16_t)at;
                        flags |= F_RH;
                        if (p[at + 2] != 2)
                                flags |= F_UNUSUAL;
                } else if (nxt == DSTOPTS) {
                        uint16_t hao = home_address(p, at, at + size);

                        if (hao) {
                                col.hao_off[i] = hao;
                                flags |= F_HAO;
                        }
                } else if (nxt != AH) {
                        flags |= F_UNUSUAL;
                }
                nxt = p[at];
                at += size;
        }
        col.l4_proto[i] = nxt;
        col.l4_off[i] = (uint16_t)(at - ETHER_HEADER);
        col.flags[i] = flags;
}

/* What is said of the columns at the end. */
static struct {
        uint64_t packets, l4_off, l4_proto, haos, rhs;
} sum;

static void add(int n)
{
        for (int i = 0; i < n; i++) {
                sum.l4_off += col.l4_off[i];
                sum.l4_proto += col.l4_proto[i];
                sum.haos += col.hao_off[i] != 0;
                sum.rhs += col.rh_off[i] != 0;
        }
        sum.packets += n;
}

int main(int argc, char **argv)
{
        int prefetch = argc > 2 && strcmp(argv[2], "prefetch") == 0;
        uint64_t scale;
        const uint8_t *map;
        struct stat st;
        size_t at = FILE_HEADER, size;
        int fd, n = 0;

        if (argc < 2 || (fd = open(argv[1], O_RDONLY)) < 0 || fstat(fd, &st) < 0)
                return 1;
        size = (size_t)st.st_size;
        map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED || size < FILE_HEADER)
                return 1;
        if (word(map) == 0xa1b23c4d)
                scale = 1;
        else if (word(map) == 0xa1b2c3d4)
                scale = 1000;
        else
                return 1;
        while (at + RECORD_HEADER <= size) {
                const uint8_t *record = map + at;
                uint32_t caplen = word(record + 8);

                if (caplen > size - at - RECORD_HEADER)
                        break;
                if (prefetch)
                        __builtin_prefetch(record + AHEAD);
                col.off[n] = at + RECORD_HEADER;
                col.ts[n] = word(record) * UINT64_C(1000000000) + word(record + 4) * scale;
                col.caplen[n] = caplen;
                col.wirelen[n] = word(record + 12);
                annotate(n, record + RECORD_HEADER, caplen);
                at += RECORD_HEADER + caplen;
                if (++n == BATCH) {
                        add(n);
                        n = 0;
                }
        }
        add(n);
        printf("%ju %ju %ju %ju %ju\n", (uintmax_t)sum.packets, (uintmax_t)sum.l4_off,
               (uintmax_t)sum.l4_proto, (uintmax_t)sum.haos, (uintmax_t)sum.rhs);
        return 0;
}
