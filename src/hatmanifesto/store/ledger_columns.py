"""The columns of the trade ledger: names, kinds, and which of them nothing but the mids decide.

Every fact of a fill or a payment is in a column of its own, exactly, so that the ledger can be read
back into what it was written from (`store.ledger_read`). Meanings and units: docs/report.md.
"""

SCHEMA = "ledger/2"

COLUMNS: tuple[tuple[str, str], ...] = (
    ("ts", "text"),
    ("ts_ns", "int"),
    ("run_id", "text"),
    ("evidence_class", "text"),
    ("strategy_name", "text"),
    ("book", "int"),
    ("model_version", "text"),
    ("symbol", "text"),
    ("reason_code", "text"),
    ("side", "text"),
    ("qty", "decimal"),
    ("price", "decimal"),
    ("notional", "decimal"),
    ("fee", "decimal"),
    ("fee_bps", "decimal"),
    ("commission_asset", "text"),
    ("funding", "decimal"),
    ("funding_rate", "decimal"),
    ("funding_account", "decimal"),
    ("oracle_price", "decimal"),
    ("slippage_bps", "decimal"),
    ("pnl_realized", "decimal"),
    ("pnl_unrealized", "decimal"),
    ("maker_flag", "bool"),
    ("order_state", "text"),
    ("regime_label", "text"),
    ("signal_id", "int"),
    ("signal_value", "float"),
    ("cloid", "text"),
    ("order_id", "int"),
    ("fill_id", "int"),
    ("slot", "int"),
    ("order_qty", "decimal"),
    ("position_size", "decimal"),
    ("account_balance", "decimal"),
    ("leverage", "decimal"),
    ("margin_used", "decimal"),
    ("expected_price", "decimal"),
    ("decision_mid", "decimal"),
    ("arrival_mid", "decimal"),
    ("fill_mid", "decimal"),
    ("spread_bps", "decimal"),
    ("markout_1s_bps", "decimal"),
    ("markout_5s_bps", "decimal"),
    ("markout_30s_bps", "decimal"),
    ("markout_60s_bps", "decimal"),
    ("markout_300s_bps", "decimal"),
    ("latency_ms", "decimal"),
    ("decided_ns", "int"),
    ("arrived_ns", "int"),
    ("retry_count", "int"),
    ("error_code", "text"),
    ("dataset_hash", "text"),
    ("config_hash", "text"),
    ("code_hash", "text"),
    ("lock_hash", "text"),
    ("commit", "text"),
    ("dirty", "text"),
    ("seed", "int"),
)
"""Name and kind of every column, in order; decimals have at most ten places."""

NAMES = tuple(name for name, _ in COLUMNS)
KIND_OF = dict(COLUMNS)
MID_COLUMNS = frozenset(
    "pnl_unrealized arrival_mid fill_mid spread_bps markout_1s_bps markout_5s_bps markout_30s_bps "
    "markout_60s_bps markout_300s_bps".split()
)
"""Columns that need the mids of the data; the journal alone decides all others."""

FILL = "fill"
FILL_IN_GAP = "fill_in_gap"
FUNDING = "funding"
FUNDING_UNKNOWN = "funding_unknown"

Row = dict[str, str]
"""Column name to text; a missing column is unknown or does not apply."""
