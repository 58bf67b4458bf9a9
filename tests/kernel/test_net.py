"""The guard for addresses that others give us: nothing inside is ever reached, by any spelling."""

from __future__ import annotations

import pytest

from webapp.kernel import net
from webapp.kernel.errors import Invalid

PUBLIC = "93.184.216.34"

INSIDE = [
    "0.0.0.0",  # noqa: S104 - never bound to
    "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.0.0.1", "10.255.255.255",
    "100.64.0.0", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.0", "127.0.0.1",
    "127.0.0.53", "127.1.1.1", "127.255.255.255", "169.254.0.1", "169.254.169.254",
    "169.254.170.2", "169.254.255.255", "172.16.0.0", "172.16.0.1", "172.31.255.255",
    "192.0.0.0", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.0",
    "192.168.0.1", "192.168.1.1", "192.168.255.255", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.254", "255.255.255.255", "::", "::1", "::2", "::127.0.0.1", "::7f00:1",
    "::a9fe:a9fe", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:192.168.1.1", "::ffff:0.0.0.0", "::ffff:100.64.0.1",
    "::ffff:224.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "64:ff9b::5db8:d822", "2002:7f00:1::",
    "2002:a9fe:a9fe::", "2002:a00:1::", "2002:c0a8:101::1", "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2001:db8:ffff::1", "2001:10::1",
    "2001:20::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fd12:3456:789a::1",
    "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1",
    "ff02::1", "ff0e::1", "100::1", "100:0:0:1::1", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8",
]  # fmt: skip

OUTSIDE = [
    "1.1.1.1", "8.8.8.8", "9.9.9.9", "93.184.216.34", "11.0.0.1", "100.63.255.255",
    "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.1",
    "172.15.255.255", "172.32.0.1", "192.0.1.1", "192.167.255.255", "192.169.0.1",
    "198.17.255.255", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111",
    "2001:4860:4860::8888", "2a00:1450:4001::1", "2620:fe::fe", "::ffff:8.8.8.8",
]  # fmt: skip

NO_ADDRESS = ["", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "0177.0.0.1", "0x7f.0.0.1",
              "2130706433", "127.1", "1.1.1.1/8", " 1.1.1.1", "1.1.1.1 ", "::g", "fe80::1%eth0",
              "[::1]", "1.1.1.1\n"]  # fmt: skip

#: What the machine's own resolver makes of spellings that are no addresses in text.
SPELLINGS = {
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0x7f.0x0.0x0.0x1": "127.0.0.1",
    "0177.0.0.1": "127.0.0.1",
    "017700000001": "127.0.0.1",
    "127.1": "127.0.0.1",
    "127.0.1": "127.0.0.1",
    "0": "0.0.0.0",  # noqa: S104 - never bound to
    "2852039166": "169.254.169.254",
    "0xa9fea9fe": "169.254.169.254",
    "0251.0376.0251.0376": "169.254.169.254",
    "169.254.43518": "169.254.169.254",
    "3232235777": "192.168.1.1",
    "localhost": "127.0.0.1",
    "localhost.": "127.0.0.1",
    "LOCALHOST": "127.0.0.1",
    "metadata.google.internal": "169.254.169.254",
    "127.0.0.1.nip.io": "127.0.0.1",
    "①②⑦.⓪.⓪.①": "127.0.0.1",
    "ⅼocalhost": "127.0.0.1",
}

BAD_URLS = [
    "", " ", "pay.example.com", "//pay.example.com", "http://pay.example.com",
    "HTTP://pay.example.com", "file:///etc/passwd", "gopher://pay.example.com:70/_x",
    "ftp://pay.example.com", "dict://pay.example.com:11211/", "ldap://pay.example.com",
    "javascript:alert(1)", "data:text/plain,x", "unix:///var/run/x.sock", "https:", "https://",
    "https:///path", "https://:443/", "https://user@pay.example.com", "https://@pay.example.com",
    "https://user:password@pay.example.com", "https://:@pay.example.com",
    "https://pay.example.com:password@127.0.0.1/", "https://pay.example.com:80/",
    "https://pay.example.com:22/", "https://pay.example.com:6379/", "https://pay.example.com:5432/",
    "https://pay.example.com:8443/", "https://pay.example.com:0/", "https://pay.example.com:-1/",
    "https://pay.example.com:65536/", "https://pay.example.com:99999999/",
    "https://pay.example.com:x/", "https://pay.example.com: 443/", "https://[::1", "https://[]/",
    "https://[fe80::1%25eth0]/", "https://[v1.x]/",
    "https://pay.example.com\n.evil.example/", "https://pay.example.com\\@evil.example/",
    "https://pay.example.com/a b", "https://pay.exa\tmple.com/", "https://pay.example.com\x00/",
    "https://pay.example.com%00.evil.example/", "https://pay%2eexample.com/",
]  # fmt: skip


def refused(url: str, *answers: str) -> None:
    """Assert that a URL is refused by the name of its field."""
    with pytest.raises(Invalid) as no:
        net.outside_target(url, resolve=lambda _host, _port: list(answers), param="webhook_url")
    assert no.value.param == "webhook_url"
    assert no.value.message.endswith(".")


def test_there_are_enough_of_them() -> None:
    assert len(INSIDE) + len(NO_ADDRESS) + len(SPELLINGS) + len(BAD_URLS) >= 120


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_passes_by_itself_or_as_an_answer(address: str) -> None:
    assert not net.is_public(address)
    refused("https://pay.example.com/hook", address)
    refused("https://pay.example.com/hook", PUBLIC, address)
    refused("https://pay.example.com/hook", address, PUBLIC)


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_inside_passes_as_the_host(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    refused(f"https://{host}/hook", address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_next_to_those_pass(address: str) -> None:
    assert net.is_public(address)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_is_not_public(text: str) -> None:
    assert not net.is_public(text)


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_name_is_judged_by_where_it_leads(host: str) -> None:
    refused(f"https://{host}/hook", SPELLINGS[host])


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"])
def test_the_machines_own_resolver_leads_nowhere_inside(host: str) -> None:
    with pytest.raises(Invalid):
        net.outside_target(f"https://{host}/hook")


@pytest.mark.parametrize("url", BAD_URLS)
def test_only_a_plain_https_address_is_read(url: str) -> None:
    refused(url, PUBLIC)


def test_a_name_that_leads_nowhere_is_refused() -> None:
    refused("https://pay.example.com/")
    with pytest.raises(Invalid):
        net.outside_target("https://nothing.invalid/")


def test_a_right_address_gives_where_to_connect_and_for_whom() -> None:
    target = net.outside_target(
        "https://Pay.Example.com/hooks/1?a=b&c=d#part", resolve=lambda _host, _port: [PUBLIC]
    )
    assert target == net.Target("pay.example.com", 443, (PUBLIC,), "/hooks/1?a=b&c=d")
    bare = net.outside_target("https://pay.example.com", resolve=lambda _host, _port: [PUBLIC])
    assert bare.path == "/"


def test_a_name_that_answers_otherwise_the_second_time_is_asked_once() -> None:
    """The caller connects to the address that was judged, so a rebinding name gains nothing."""
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    target = net.outside_target("https://rebind.example/", resolve=lambda _h, _p: next(answers))
    assert target.addresses == (PUBLIC,)
    assert next(answers) == ["127.0.0.1"], "the second answer was never asked for"


def test_every_checked_answer_is_kept_in_its_order() -> None:
    answers = ["93.184.216.34", "2606:2800:21f:cb07::1", "34.1.2.3"]
    target = net.outside_target("https://pay.example.com/", resolve=lambda _h, _p: answers)
    assert target.addresses == tuple(answers)


@pytest.mark.parametrize(
    ("name", "plain"),
    [("例え.jp", "xn--r8jz45g.jp"), ("bücher.example", "xn--bcher-kva.example")],
)
def test_a_name_of_another_script_is_asked_and_given_in_plain_letters(
    name: str, plain: str
) -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [PUBLIC]

    target = net.outside_target(f"https://{name}/in", resolve=resolve)
    assert [target.host, *asked] == [plain, plain]


def test_a_name_that_could_be_two_is_to_be_written_in_plain_letters() -> None:
    refused("https://fu\u00dfball.example/", PUBLIC)
