"""The configuration: layers, origins, rules of values, and the address checksum."""

from pathlib import Path

import pytest

from hatmanifesto.domain.errors import BusyError, UsageError
from hatmanifesto.ops.config import load_config
from hatmanifesto.ops.config_schema import KEYS
from hatmanifesto.ops.keccak import checksum_address, keccak256
from hatmanifesto.ops.lock import AccountLock
from hatmanifesto.ops.secrets import find_secret, quote, redact, secret_kind
from tests.bad_inputs_config import base_toml


def write(home: Path, text: str | bytes) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (home / "config.toml").write_bytes(content)
    (home / "config.toml").chmod(0o600)


def refusal(home: Path, text: str, **over: object) -> str:
    write(home, text)
    with pytest.raises(UsageError) as caught:
        load_config(home, **{"environ": {}, **over})
    return str(caught.value)


def test_a_missing_file_means_defaults(tmp_path):
    config = load_config(tmp_path, environ={})
    assert config.text("network") == "local"
    assert config.micro("limits.order_notional_max") == 0
    assert {row.origin for row in config.settings.values()} == {"default"}
    assert not list(tmp_path.iterdir())


def test_every_default_is_accepted_by_its_own_parser():
    for key, row in KEYS.items():
        if row.default is not None:
            assert row.parse(row.default) == row.default, key


def test_layers_lie_in_order_and_keep_their_origin(tmp_path):
    write(tmp_path, 'schema = 1\n\n[dead_man]\nperiod = "40s"\nrefresh = "8s"\n')
    environ = {"HAT_DEAD_MAN__REFRESH": "7s", "HAT_BACKTEST__SEED": "3", "HAT_HOME": "x"}
    flags = {"backtest.seed": "4"}
    config = load_config(tmp_path, environ=environ, flags=flags)
    assert config.settings["dead_man.period"].origin.endswith("config.toml:4")
    assert config.settings["dead_man.refresh"].origin == "environment HAT_DEAD_MAN__REFRESH"
    assert config.ns("dead_man.refresh") == 7 * 10**9
    assert config.number("backtest.seed") == 4
    assert config.settings["backtest.seed"].origin == "flag --set backtest.seed"


def test_the_hash_is_of_values_alone(tmp_path):
    plain = load_config(tmp_path, environ={})
    by_env = load_config(tmp_path, environ={"HAT_BACKTEST__SEED": "0"})
    other = load_config(tmp_path, environ={"HAT_BACKTEST__SEED": "1"})
    assert plain.hash == by_env.hash != other.hash


def test_coins_may_be_a_table_or_a_list(tmp_path):
    write(tmp_path, "schema = 1\n[coins.BTC]\nleverage = 3\n")
    assert load_config(tmp_path, environ={}).number("coins.BTC.leverage") == 3
    write(tmp_path, 'schema = 1\ncoins = ["ETH", "BTC"]\n')
    assert load_config(tmp_path, environ={}).coins == ("BTC", "ETH")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("x = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("seed = " + "9" * 5000, "number that is too long"),
        ("nework = 'local'", "did you mean network"),
        ("dead_man = 3", "expected a table, was an integer"),
        ('orders = {expires_after = "61s"}', "between 2s and 60s"),
        ('journal = {dir = "a/../b"}', "inside the home"),
        ('limits = {order_notional_max = "1.0000001"}', "at most 6 decimals"),
        ('limits = {order_notional_max = "10"}', "limits.position_notional_max"),
        ('base_url = "https://api.hyperliquid.xyz"', "loopback"),
        ('coins = ["BTC", "btc"]', "did you mean BTC?"),
        ('[strategies.a]\nname = "makr"', "must be one of maker"),
        ("[strategies.a]", "name: is missing"),
        ('backtest = {latency = "normal:1ms"}', "lognormal:MEDIAN:SIGMA"),
        ('backtest = {queue = "prob:0"}', "above 0"),
    ],
)
def test_a_refusal_says_what_is_wrong(tmp_path, line, says):
    assert says in refusal(tmp_path, f"schema = 1\n{line}\n")


def test_a_file_must_say_its_schema(tmp_path):
    assert "schema = 1" in refusal(tmp_path, "network = 'local'\n")


@pytest.mark.parametrize("name", ["HAT_NETWORK", "HAT_ACCOUNT"])
def test_identity_is_never_overridden(tmp_path, name):
    write(tmp_path, base_toml())
    other = "local" if name == "HAT_NETWORK" else "0x" + "3" * 40
    with pytest.raises(UsageError, match="contradicts"):
        load_config(tmp_path, environ={name: other})


def test_limits_come_from_the_file_alone(tmp_path):
    key = "limits.order_notional_max"
    with pytest.raises(UsageError, match="only be set in the configuration file"):
        load_config(tmp_path, environ={}, flags={key: "5"})
    with pytest.raises(UsageError, match="only be set in the configuration file"):
        load_config(tmp_path, environ={"HAT_LIMITS__ORDER_NOTIONAL_MAX": "5"})


def test_a_secret_is_named_and_never_shown(tmp_path):
    secret = "ab" * 32
    said = refusal(tmp_path, f"schema = 1\nnotes = '0x{secret}'\n")
    assert "notes" in said
    assert "secret" in said
    assert secret not in said
    assert "line 2" in said


def test_secrets_are_told_from_ordinary_text():
    assert secret_kind("0x" + "a1" * 32)
    assert secret_kind(" ".join(["abandon"] * 11 + ["about"]))
    assert not secret_kind("0x" + "a1" * 20)
    assert not secret_kind("a plain sentence about the weather in Lisbon")
    assert find_secret({"a": [{"b": "c", "api_key": 1}]}) == (
        "a[0].api_key",
        "a secret by its name",
    )
    assert "a1a1" not in redact("key 0x" + "a1" * 32)
    assert quote("b2" * 32) == "<hidden>"


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_keccak_256_known_answers(message, digest):
    assert keccak256(message).hex() == digest


@pytest.mark.parametrize(
    "address",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_checksums_of_the_eip(address):
    assert checksum_address(address.lower()) == address


def test_a_second_holder_of_the_lock_is_told_who_has_it(tmp_path):
    first, second = AccountLock(tmp_path, "0xAB"), AccountLock(tmp_path, "0xab")
    with first, pytest.raises(BusyError, match="process"):
        second.__enter__()
    with AccountLock(tmp_path, "0xab"):
        assert (tmp_path / "locks" / "0xab.lock").exists()


def document() -> str:
    path = Path(__file__).resolve().parents[1] / "docs" / "configuration.md"
    return path.read_text(encoding="utf-8")


def test_the_documented_example_is_valid(tmp_path):
    example = document().split("```toml\n")[1].split("```")[0]
    write(tmp_path, example)
    assert load_config(tmp_path, environ={}).text("network") == "testnet"


def test_every_key_and_default_is_documented():
    for key, row in KEYS.items():
        default = "not set" if row.default is None else f"`{row.default}`"
        assert f"| `{key}` | {default} | {row.text} |" in document()
