"""国密: SM4 and SM3 do what their standards say."""

from __future__ import annotations

import pytest

from app.security import MasterKey, Suite, Unsealable, seal, unseal


def test_sm4_in_gcm_opens_the_example_of_rfc_8998() -> None:
    """RFC 8998, appendix A.1."""
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    nonce = bytes.fromhex("00001234567800000000ABCD")
    context = bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2")
    plain = b"".join(bytes([it]) * 8 for it in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    cipher = bytes.fromhex(
        "17F399F08C67D5EE19D0DC9969C4BB7D5FD46FD3756489069157B282BB200735"
        "D82710CA5C22F0CCFA7CBF93D496AC15A56834CBCF98C397B4024A2691233B8D"
    )
    tag = bytes.fromhex("83DE3541E4C2B58177E065A9BF7B62EC")
    assert unseal(key, nonce + cipher + tag, context) == plain


def test_what_is_sealed_opens_by_its_own_key_and_context_only() -> None:
    for length in (16, 32):
        key = bytes(range(length))
        sealed = seal(key, "身份证号".encode(), b"id-number")
        assert unseal(key, sealed, b"id-number").decode() == "身份证号"
        for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
            with pytest.raises(Unsealable):
                unseal(key, wrong, b"id-number")
        with pytest.raises(Unsealable):
            unseal(key, sealed, b"other")


def test_hmac_sm3_gives_what_openssl_gives() -> None:
    key, message = bytes(range(32)), b"00000019810318003X"
    # openssl mac -digest SM3 -macopt hexkey:000102…1f HMAC
    told = "5D3432AF7D7B7BEDACE4DA951FC2EE8CFF3357BC2D4B2140076E3176371E748D"
    assert Suite.NATIONAL.mac(key, message).hex().upper() == told
    assert Suite.INTERNATIONAL.mac(key, message) != Suite.NATIONAL.mac(key, message)


def test_keys_derived_for_one_suite_are_not_those_of_the_other() -> None:
    master = MasterKey("a master key of thirty-two characters")
    assert master.derive("x") != master.derive("x", Suite.NATIONAL)
