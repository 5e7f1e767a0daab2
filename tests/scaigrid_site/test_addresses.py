"""The addresses in the settings: what could never work stops the program, and what is printed answers."""

import pytest

from scaigrid_site import conf


@pytest.mark.parametrize("url", ["https://a.test/grid", "https://a.test/?x", "https://a.test/#x", "https://"])
def test_a_public_url_with_more_than_a_host_is_refused(url):
    with pytest.raises(conf.SettingInvalid, match="PUBLIC_URL"):
        conf.read({"PUBLIC_URL": url})


def test_a_public_url_may_end_in_a_slash():
    assert conf.read({"PUBLIC_URL": "https://a.test:8443/"}).public_url == "https://a.test:8443"


@pytest.mark.parametrize("name", ["https://a.test", "a.test:8000", "a.test/x", "a_b.test", "*.a.test", "::1", "a."])
def test_a_host_that_django_never_accepts_is_refused(name):
    with pytest.raises(conf.SettingInvalid, match="ALLOWED_HOSTS"):
        conf.read({"ALLOWED_HOSTS": name})


@pytest.mark.parametrize("name", ["a.test", ".a.test", "*", "[::1]", "10.0.0.1", "Grid.Example.com"])
def test_a_host_that_django_accepts_is_taken(name):
    assert (name,) == conf.read({"ALLOWED_HOSTS": name}).ALLOWED_HOSTS


def test_a_server_on_the_ipv6_loopback_names_the_address_that_answers():
    assert conf.read({"HOST": "::1", "PORT": "8123"}).public_url == "http://[::1]:8123"
