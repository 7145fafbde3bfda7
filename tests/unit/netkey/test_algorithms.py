# SPDX-License-Identifier: BSD-3-Clause
"""Authentication and encryption algorithms: vectors of the RFCs, key rules, what is registered."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import sys
from typing import Any

import pytest

from kame_py.netkey.algorithms import (
    HmacKey,
    ah_algorithm_lookup,
    esp_algorithm_lookup,
    icv_equal,
    supported_auth,
    supported_enc,
)
from kame_py.netkey.ripemd160 import Ripemd160
from kame_py.wire import pfkeyv2 as k
from kame_py.wire.errno import EINVAL, KError
from tests.support import data_dir

Vector = dict[str, Any]


def h(text: str) -> bytes:
    return bytes.fromhex(text)


def rfc_vectors(name: str) -> list[Vector]:
    with open(data_dir() / "vectors/rfc_ipsec_vectors.json", encoding="ascii") as f:
        vectors: list[Vector] = json.load(f)[name]
    return vectors


def kernel_vectors() -> list[Vector]:
    with open(data_dir() / "vectors/linux_kernel_esp_vectors.json", encoding="ascii") as f:
        vectors: list[Vector] = json.load(f)
    return vectors


@pytest.mark.parametrize(
    ("name", "new", "block"),
    [("rfc2202_hmac_md5", hashlib.md5, 64), ("rfc2202_hmac_sha1", hashlib.sha1, 64)],
)
def test_hmac_of_rfc_2202(name: str, new: Any, block: int) -> None:
    vectors = rfc_vectors(name)
    assert len(vectors) == 7
    for v in vectors:
        assert HmacKey(new, block, h(v["key"]), 12).mac(h(v["data"])) == h(v["digest96"])


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_hmac_sha2_of_rfc_4231(bits: int) -> None:
    new = getattr(hashlib, f"sha{bits}")
    vectors = rfc_vectors("rfc4231_hmac_sha2")
    assert len(vectors) == 7
    for v in vectors:
        want = h(v[f"hmac_sha{bits}"])  # case 5 is printed truncated
        key = HmacKey(new, 64 if bits == 256 else 128, h(v["key"]), len(want))
        assert key.mac(h(v["data"])) == want


def test_aes_xcbc_mac_of_rfc_3566() -> None:
    algorithm = ah_algorithm_lookup(k.SADB_X_AALG_AES_XCBC_MAC)
    assert algorithm is not None
    vectors = rfc_vectors("rfc3566_aes_xcbc_mac_96")
    assert len(vectors) == 7
    for v in vectors:
        text = h(v["msg"]) if v["msg_zero_len"] is None else bytes(v["msg_zero_len"])
        assert algorithm.setup(h(v["key"])).mac(text) == h(v["mac96"])


def test_aes_xcbc_prf_of_rfc_4434_where_the_key_is_one_of_the_mac() -> None:
    """The PRF with a key of 128 bits is the code; its other key lengths are not for IPsec."""
    algorithm = ah_algorithm_lookup(k.SADB_X_AALG_AES_XCBC_MAC)
    assert algorithm is not None
    for v in rfc_vectors("rfc4434_aes_xcbc_prf_128"):
        key = h(v["key"])
        if len(key) == 16:
            assert algorithm.setup(key).mac(h(v["msg"])) == h(v["prf"])[:12]
        else:
            with pytest.raises(KError):
                algorithm.setup(key)


def test_aes_cbc_of_rfc_3602() -> None:
    algorithm = esp_algorithm_lookup(k.SADB_X_EALG_AES)
    assert algorithm is not None
    vectors = rfc_vectors("rfc3602_aes_cbc")
    assert len(vectors) == 4
    for v in vectors:
        cipher = algorithm.setup(h(v["key"]))
        assert cipher.encrypt(h(v["iv"]), h(v["plaintext"])) == h(v["ciphertext"])
        assert cipher.decrypt(h(v["iv"]), h(v["ciphertext"])) == h(v["plaintext"])


def test_aes_ctr_of_rfc_3686_is_no_cipher_of_ours() -> None:
    assert len(rfc_vectors("rfc3686_aes_ctr")) == 9
    pytest.skip("AES-CTR is not among the ciphers of KAME's January 2002 kernel")


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        (b"", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        (b"abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        (b"1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        (b"a" * 1_000, "aa69deee9a8922e92f8105e007f76110f381e9cf"),
    ],
)
def test_ripemd160_of_its_authors(text: bytes, digest: str) -> None:
    assert Ripemd160(text).digest() == h(digest)


def test_ripemd160_in_pieces_and_copied() -> None:
    whole = Ripemd160(bytes(range(200)))
    pieces = Ripemd160()
    for off in range(0, 200, 7):
        pieces.update(bytes(range(200))[off : off + 7])
    copy = pieces.copy()
    copy.update(b"more")
    assert pieces.digest() == whole.digest() != copy.digest()


@pytest.mark.parametrize(
    ("key", "text", "digest"),  # RFC 2286 s.2: HMAC-RIPEMD160
    [
        ("0b" * 20, b"Hi There", "24cb4bd67d20fc1a5d2ed7732dcc39377f0a5668"),
        ("aa" * 20, b"\xdd" * 50, "b0b105360de759960ab4f35298e116e295d8e7c1"),
        ("0c" * 20, b"Test With Truncation", "7619693978f91d90539ae786500ff3d8e0518e39"),
    ],
)
def test_hmac_ripemd160_of_rfc_2286(key: str, text: bytes, digest: str) -> None:
    algorithm = ah_algorithm_lookup(k.SADB_X_AALG_RIPEMD160HMAC)
    assert algorithm is not None
    assert algorithm.setup(h(key)).mac(text) == h(digest)[:12]


def test_keyed_digests_pad_the_key_to_a_block_in_front_and_repeat_it_behind() -> None:
    for number, new, size in (
        (k.SADB_X_AALG_MD5, hashlib.md5, 16),
        (k.SADB_X_AALG_SHA, hashlib.sha1, 20),
    ):
        algorithm = ah_algorithm_lookup(number)
        assert algorithm is not None
        key = bytes(range(1, size + 1))
        front = key + b"\x80" + bytes(64 - 8 - 1 - size) + bytes((size * 8,)) + bytes(7)
        assert len(front) == 64
        assert algorithm.setup(key).mac(b"te", b"xt") == new(front + b"text" + key).digest()[:12]


def test_length_on_the_wire_is_96_bits_but_half_of_sha2() -> None:
    lengths = {}
    for alg in supported_auth():
        algorithm = ah_algorithm_lookup(alg.id)
        assert algorithm is not None
        mac = algorithm.setup(bytes(alg.minbits // 8))
        assert len(mac.mac(b"x")) == mac.icvlen == algorithm.icvlen
        lengths[algorithm.name] = mac.icvlen
    assert lengths == {
        "hmac-md5": 12,
        "hmac-sha1": 12,
        "hmac-sha2-256": 16,
        "hmac-sha2-384": 24,
        "hmac-sha2-512": 32,
        "hmac-ripemd160": 12,
        "aes-xcbc-mac": 12,
        "hmac-sha2-256-96": 12,
        "hmac-sha2-384-96": 12,
        "hmac-sha2-512-96": 12,
        "keyed-md5": 12,
        "keyed-sha1": 12,
        "null": 0,
    }


def test_a_key_that_is_used_twice_gives_the_same_code_whatever_the_parts() -> None:
    for alg in supported_auth():
        algorithm = ah_algorithm_lookup(alg.id)
        assert algorithm is not None
        mac = algorithm.setup(bytes(range(alg.minbits // 8)))
        assert mac.mac(b"a" * 100) == mac.mac(b"a" * 30, b"", b"a" * 70)


def test_hmac_agrees_with_pythons() -> None:
    algorithm = ah_algorithm_lookup(k.SADB_X_AALG_SHA2_384)
    assert algorithm is not None
    key = bytes(range(48))
    want = hmac.new(key, b"text", hashlib.sha384).digest()[:24]
    assert algorithm.setup(key).mac(b"text") == want


def test_ciphers_undo_themselves_and_have_the_sizes_of_their_blocks() -> None:
    sizes = {}
    for alg in supported_enc():
        algorithm = esp_algorithm_lookup(alg.id)
        assert algorithm is not None
        cipher = algorithm.setup(bytes(range(0x41, 0x41 + alg.minbits // 8)))
        iv = bytes(range(cipher.ivlen))
        text = bytes(range(64))
        secret = cipher.encrypt(iv, text)
        assert cipher.decrypt(iv, secret) == text
        assert (secret == text) == (algorithm.name == "null")
        assert (cipher.ivlen, cipher.blocklen) == (algorithm.ivlen, algorithm.blocklen)
        assert alg.ivlen == algorithm.ivlen
        sizes[algorithm.name] = (alg.minbits, alg.maxbits, cipher.ivlen, cipher.blocklen)
    assert sizes == {
        "des-cbc": (64, 64, 8, 8),
        "3des-cbc": (192, 192, 8, 8),
        "cast128-cbc": (40, 128, 8, 8),
        "blowfish-cbc": (40, 448, 8, 8),
        "null": (0, 2048, 0, 1),
        "rijndael-cbc": (128, 256, 16, 16),
    }


def test_des_is_the_block_of_fips_81() -> None:
    algorithm = esp_algorithm_lookup(k.SADB_EALG_DESCBC)
    assert algorithm is not None
    cipher = algorithm.setup(h("0123456789abcdef"))
    secret = cipher.encrypt(h("1234567890abcdef"), b"Now is the time for all ")
    assert secret == h("e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6")


def _kernel_cipher(vector: Vector) -> tuple[str, bytes]:
    """Name and key of ``enc 'NAME' '0xKEY'``; no name where the line has none."""
    _, _, enc = str(vector["xfrm_cmd"]).partition("enc ")
    words = enc.split("'")
    return (words[1], h(words[3].removeprefix("0x"))) if enc else ("", b"")


_LINUX = {
    "cbc(des)": k.SADB_EALG_DESCBC,
    "cbc(des3_ede)": k.SADB_EALG_3DESCBC,
    "cbc(aes)": k.SADB_X_EALG_AES,
    "cbc(blowfish)": k.SADB_X_EALG_BLOWFISHCBC,
    "cbc(cast5)": k.SADB_X_EALG_CAST128CBC,
}


def test_payloads_of_linux_kernels_in_cbc_mode_are_decrypted() -> None:
    seen = []
    for v in kernel_vectors():
        name, key = _kernel_cipher(v)
        number = _LINUX.get(name)
        if number is None:
            continue
        algorithm = esp_algorithm_lookup(number)
        assert algorithm is not None
        cipher = algorithm.setup(key)
        octets = h(v["esp_data"])
        text = cipher.decrypt(octets[: cipher.ivlen], octets[cipher.ivlen :])
        padlen, nxt = text[-2], text[-1]
        assert nxt == 4  # an IPv4 packet
        assert text[-2 - padlen : -2] == bytes(range(1, padlen + 1))
        assert text[0] == 0x45
        seen.append(name)
    assert sorted(seen) == sorted(_LINUX)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (k.SADB_AALG_MD5HMAC, bytes(15)),
        (k.SADB_AALG_SHA1HMAC, bytes(21)),
        (k.SADB_X_AALG_SHA2_256, bytes(31)),
        (k.SADB_X_AALG_NULL, bytes(257)),
    ],
)
def test_authentication_keys_of_a_wrong_size_are_refused(number: int, key: bytes) -> None:
    algorithm = ah_algorithm_lookup(number)
    assert algorithm is not None
    with pytest.raises(KError) as e:
        algorithm.setup(key)
    assert e.value.errno == EINVAL


@pytest.mark.parametrize(
    ("number", "key"),
    [
        (k.SADB_EALG_DESCBC, b"1234567"),
        (k.SADB_EALG_DESCBC, h("0101010101010101")),  # weak
        (k.SADB_EALG_DESCBC, h("0000000000000000")),  # the same without parity
        (k.SADB_EALG_3DESCBC, b"12345678" + h("e0fee0fef1fef1fe") + b"abcdefgh"),  # semi-weak
        (k.SADB_X_EALG_AES, bytes(20)),
        (k.SADB_X_EALG_BLOWFISHCBC, bytes(4)),
        (k.SADB_X_EALG_CAST128CBC, bytes(17)),
    ],
)
def test_encryption_keys_of_a_wrong_size_and_weak_ones_are_refused(number: int, key: bytes) -> None:
    algorithm = esp_algorithm_lookup(number)
    assert algorithm is not None
    with pytest.raises(KError) as e:
        algorithm.setup(key)
    assert e.value.errno == EINVAL


def test_unknown_numbers_have_no_algorithm() -> None:
    assert ah_algorithm_lookup(1) is None
    assert esp_algorithm_lookup(k.SADB_X_EALG_TWOFISHCBC) is None


def test_codes_are_compared_whole() -> None:
    assert icv_equal(b"abc", b"abc")
    assert not icv_equal(b"abc", b"abd")
    assert not icv_equal(b"abc", b"ab")


def test_authentication_alone_does_not_load_cryptography() -> None:
    code = (
        "import sys; from kame_py.netkey.algorithms import ah_algorithm_lookup as f;"
        "f(3).setup(bytes(20)).mac(b'x'); print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "flag", [k.SADB_X_EXT_OLD, k.SADB_X_EXT_DERIV, k.SADB_X_EXT_IV4B], ids=["old", "deriv", "iv4"]
)
def test_the_formats_before_rfc_2401_are_refused(flag: int) -> None:
    auth, enc = ah_algorithm_lookup(k.SADB_X_AALG_MD5), esp_algorithm_lookup(k.SADB_EALG_DESCBC)
    assert auth is not None
    assert enc is not None
    with pytest.raises(KError):
        auth.setup(bytes(16), flag)
    with pytest.raises(KError):
        enc.setup(b"12341234", flag)
