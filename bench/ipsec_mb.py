# SPDX-License-Identifier: BSD-3-Clause
"""Intel's multi-buffer library (Debian: libipsec-mb-dev) through a few lines of C, as a peer."""

from __future__ import annotations

import ctypes
import functools
import shutil
import subprocess
from pathlib import Path

from kame_py.fast.batch import I64, U8, U32
from kame_py.fast.hmac_mb import Alg

_C = """
#include <intel-ipsec-mb.h>

static IMB_MGR *mgr;

int peer_open(void)
{
        mgr = alloc_mb_mgr(0);
        if (mgr == NULL)
                return -1;
        init_mb_mgr_auto(mgr, NULL);
        return imb_get_errno(mgr);
}

/* 0: all done. inner, outer: the states of the key, words of the host. */
int peer_batch(int alg, const void *inner, const void *outer, const uint8_t *arena,
               const int64_t *off, const uint32_t *len, uint8_t *out, uint32_t icvlen, uint32_t n)
{
        static const IMB_HASH_ALG algs[] = {
                IMB_AUTH_MD5, IMB_AUTH_HMAC_SHA_1, IMB_AUTH_HMAC_SHA_256
        };
        IMB_JOB jobs[IMB_MAX_BURST_SIZE];

        for (uint32_t done = 0; done < n; ) {
                uint32_t burst = n - done;
                if (burst > IMB_MAX_BURST_SIZE)
                        burst = IMB_MAX_BURST_SIZE;
                for (uint32_t i = 0; i < burst; i++) {
                        IMB_JOB *job = &jobs[i];
                        job->src = arena + off[done + i];
                        job->hash_start_src_offset_in_bytes = 0;
                        job->msg_len_to_hash_in_bytes = len[done + i];
                        job->auth_tag_output = out + (done + i) * icvlen;
                        job->auth_tag_output_len_in_bytes = icvlen;
                        job->u.HMAC._hashed_auth_key_xor_ipad = inner;
                        job->u.HMAC._hashed_auth_key_xor_opad = outer;
                        job->hash_alg = algs[alg];
                        job->cipher_mode = IMB_CIPHER_NULL;
                        job->cipher_direction = IMB_DIR_ENCRYPT;
                        job->chain_order = IMB_ORDER_HASH_CIPHER;
                        job->iv = NULL;
                        job->user_data = NULL;
                }
                if (algs[alg] != IMB_AUTH_MD5) { /* its burst, faster than jobs, has no MD5 */
                        if (IMB_SUBMIT_HASH_BURST_NOCHECK(mgr, jobs, burst, algs[alg]) != burst)
                                return -1;
                } else {
                        for (uint32_t i = 0; i < burst; i++) {
                                *IMB_GET_NEXT_JOB(mgr) = jobs[i];
                                IMB_SUBMIT_JOB_NOCHECK(mgr);
                        }
                        while (IMB_FLUSH_JOB(mgr) != NULL)
                                ;
                }
                done += burst;
        }
        return 0;
}
"""


@functools.cache
def unavailable() -> str | None:
    """Why the library cannot be had, if so."""
    if shutil.which("gcc") is None:
        return "gcc is not installed"
    if not Path("/usr/include/intel-ipsec-mb.h").is_file():
        return "libipsec-mb-dev is not installed"
    return None


class IpsecMb:
    """The library, called from C that is compiled in ``folder``."""

    def __init__(self, folder: Path) -> None:
        source, library = folder / "peer.c", folder / "peer.so"
        source.write_text(_C)
        options = ["-O2", "-march=native", "-shared", "-fPIC"]
        argv = ["gcc", *options, "-o", str(library), str(source), "-lIPSec_MB"]
        subprocess.run(argv, check=True)
        self._c = ctypes.CDLL(str(library))
        if self._c.peer_open():
            raise OSError("the library does not start")

    def batch(
        self, alg: Alg, row: U32, arena: U8, off: I64, size: U32, out: U8, icvlen: int
    ) -> None:
        """All messages with one key; the rows of out follow each other without a gap."""
        words = row[:16].byteswap() if alg.digest.big else row[:16].copy()
        done = self._c.peer_batch(
            *(ctypes.c_int(alg), _at(words), _at(words, 32), _at(arena), _at(off), _at(size)),
            *(_at(out), ctypes.c_uint32(icvlen), ctypes.c_uint32(len(off))),
        )
        if done:
            raise OSError("the library refuses")


def _at(array: U8 | U32 | I64, plus: int = 0) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data + plus)
