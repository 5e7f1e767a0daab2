"""Which addresses are called, and which spellings of a URL are read at all."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from publishing.outbound import UrlRefused, is_hopeless, listed, network, read
from publishing.outbound.addresses import is_public
from publishing.outbound.destinations import may_connect
from tests.support.outside_calls import Names, refused

PRIVATE = [
    "0.0.0.0",  # noqa: S104  nothing is bound to it
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "4000::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "2606:4700::1%eth0",
    "ff02::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]

UNREADABLE = [
    "",
    "/x",
    "//example.com/x",
    "example.com",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "unix:///run/x.sock",
    "ws://example.com/",
    "javascript:alert(1)",
    "http://",
    "https:///x",
    "http://ann@example.com/",
    "http://ann:pw@example.com/",
    "http://:pw@example.com/",
    "http://example.com\\@127.0.0.1/",
    "http://127.0.0.1\\.example.com/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://127.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.01/",
    "http://127.0.0.1./",
    "http://0x/",
    "http://0xa9fea9fe/",
    "http://169.254.43518/",
    "http://example.0x1/",
    "http://1.2.3.4.5/",
    "http://256.1.1.1/",
    "http://127.0.0.%31/",
    "http://%31%32%37.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://exam ple.com/",
    "http://a..b/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-1/",
    "http://example.com:80:90/",
    "http://example.com:x/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[v1.x]/",
    "http://example.com/\r\nX: y",
    "http://example.com/\0",
    "http://ex\tample.com/",
    "http://\ud800.com/",
    "http://example.com/\ud800",
    "http://" + "a" * 254 + "/",
    "http://example.com/" + "x" * 9000,
]
LOCAL = [
    "http://127.0.0.1/",
    "https://127.8.8.8:8443/",
    "http://0.0.0.0:8000/",
    "http://localhost/",
    "http://LOCALHOST./",
    "http://x.localhost/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", UNREADABLE)
def test_a_url_that_could_be_read_in_two_ways_is_not_read_at_all(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        read(url)
    assert str(caught.value).endswith(".")
    assert url == "" or url not in str(caught.value)


@pytest.mark.parametrize("url", ["https://example.com", "http://EXAMPLE.com:8080/a?b#c", "https://bücher.example/"])
def test_an_ordinary_url_is_read(url: str) -> None:
    assert not is_hopeless(read(url), frozenset())


@pytest.mark.parametrize("url", LOCAL)
async def test_a_url_of_this_machine_or_its_network_is_never_called(outside: None, url: str) -> None:
    assert is_hopeless(read(url), listed())
    # Some resolvers do not know every spelling of localhost.
    assert await refused(url) in ("refused_address", "unreachable" if "localhost" in url.lower() else "")


@pytest.mark.parametrize("url", UNREADABLE)
async def test_an_unreadable_url_is_never_called(outside: None, url: str) -> None:
    assert await refused(url) == "refused_address"


@pytest.mark.parametrize("port", [1, 22, 25, 110, 445, 587, 993])
def test_the_ports_of_mail_and_shells_are_not_called(port: int) -> None:
    assert not may_connect("example.com", port, ["8.8.8.8"], frozenset())


@pytest.mark.parametrize(
    ("entry", "url", "may"),
    [
        ("ollama", "http://ollama:11434/", True),
        ("OLLAMA:11434", "http://ollama:11434/", True),
        ("ollama:11434", "http://ollama:11435/", False),
        ("ollama:80", "http://ollama/", True),
        ("10.0.0.1", "http://10.0.0.1:22/", True),
        ("10.0.0.1", "http://10.0.0.2/", False),
        ("[::1]:80", "http://[::1]/", True),
        ("localhost", "http://localhost./", True),
    ],
)
def test_the_operator_lists_hosts_by_name_and_port(settings: LazySettings, entry: str, url: str, may: bool) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = (entry,)
    target = read(url)
    host = target.raw_host.decode()
    assert may_connect(host, target.port or 80, ["10.0.0.1"], listed()) is may


async def test_one_private_address_among_public_ones_refuses_the_host(outside: None, names: Names) -> None:
    names.answers["mixed.example"] = [["8.8.8.8", "127.0.0.1"]]
    assert await refused("http://mixed.example/") == "refused_address"


async def test_a_name_that_nobody_knows_is_unreachable(outside: None, names: Names) -> None:
    assert await refused("http://nowhere.example/") == "unreachable"


def test_the_system_names_each_address_once() -> None:
    assert network.look_up("127.0.0.1", 80) == ["127.0.0.1"]
