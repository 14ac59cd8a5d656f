"""Where systems are: whatever stands in systems.yaml or behind a secret's reference is a connection or a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.errors import InvalidSettings
from governance.findings import Finding
from runtime.connections import connections
from tools.contract import ApiKey, System

SHOP = System(name="shop", title="Shop", auth=ApiKey(), url="http://127.0.0.1:8701", secret="practice:s3cret")


def found(home: Path, text: str | bytes) -> list[Finding]:
    """What is wrong with a ``systems.yaml``."""
    (home / "systems.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidSettings) as caught:
        connections([SHOP], home, 8700)
    findings = list(caught.value.findings)
    assert all(finding.place and finding.sentence for finding in findings)
    return findings


def test_a_companys_file_says_where_a_system_is_and_with_which_secret(tmp_path: Path) -> None:
    """Without a file the practice address, which follows the sandbox."""
    assert connections([SHOP], tmp_path, 9700)["shop"].url == "http://127.0.0.1:9701"
    (tmp_path / "secret").write_text("  hush\n")
    (tmp_path / "systems.yaml").write_text(
        f"shop: {{url: 'https://shop.acme.example', secret: 'file:{tmp_path}/secret'}}"
    )
    shop = connections([SHOP], tmp_path, 9700)["shop"]
    assert (shop.url, shop.secret) == ("https://shop.acme.example", "hush")
    (tmp_path / "systems.yaml").write_text("")
    assert connections([SHOP], tmp_path, 8700)["shop"].url == SHOP.url


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 5_000, "file-not-json"),
        ("{a: " * 5_000, "file-not-json"),
        (b"\xff\xfe\x00", "file-not-yaml"),
        ("shop: {url: [", "file-not-yaml"),
        ("# " + "x" * 1_000_001, "file-unreadable"),
        ("- shop", "file-form"),
        ("shop: {url: 2027-01-04T09:00:00Z, user: .nan}", "file-not-json"),
        ("stop: {}", "system-unknown"),
        ("shop: {port: 1}", "system-form"),
        ("shop: {url: 'http://[::1'}", "system-url"),
        ("shop: {url: 'http://shop:99999'}", "system-url"),
        ("shop: {url: 'http://shop:port'}", "system-url"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_finding(text: str | bytes, code: str, tmp_path: Path) -> None:
    """With a sentence, whatever stands in it."""
    assert [finding.code for finding in found(tmp_path, text)] == [code]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x80\x81", "is not a file of text"),
        (b"x" * 70_000, "is larger than 65,536 bytes"),
        (b" \n", "is empty"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_secret_that_is_none_is_a_finding_that_does_not_quote_it(
    content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    """Binary, huge, empty, or not there."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    (finding,) = found(tmp_path, f"shop: {{secret: 'file:{tmp_path}/secret'}}")
    assert (finding.code, finding.place) == ("system-secret", "systems.shop.secret")
    assert sentence in finding.sentence


def test_an_endless_file_and_an_impossible_path_end_too(tmp_path: Path) -> None:
    """Not more is read than a secret can be long."""
    (endless,) = found(tmp_path, "shop: {secret: 'file:/dev/zero'}")
    assert "is larger than" in endless.sentence
    (impossible,) = found(tmp_path, 'shop: {secret: "file:a\\0b"}')
    assert "is not a file of text" in impossible.sentence
