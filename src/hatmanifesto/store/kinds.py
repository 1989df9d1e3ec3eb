"""The kinds of tables the warehouse knows: their columns, units, keys and partitions.

Integers are exact: a column with ``decimals`` d counts 10**-d of its unit; ``decimals`` -1 means
the coin's own price units and -2 its own size units (``domain.asset``). Text columns hold the
source's own words. Every kind begins with exch, recv and row.
"""

from typing import NamedTuple

PX_OWN = -1
SZ_OWN = -2
"""Units of the coin itself: prices and sizes on the venue's grid."""

PX10 = 10
"""Prices that need not lie on a grid: 1e-10 of the quote currency."""
SZ8 = 8
"""Sizes that need not lie on a grid: 1e-8 coins."""
VOLUME6 = 6
"""Traded sizes summed over an interval: 1e-6 coins, so that 9.2e12 coins fit (kPEPE, a day)."""
OI10 = 10
"""Open interest alone: 1e-10 coins, as fine as the venue tells it, up to 9.2e8 coins."""
MONEY8 = 8
"""Money that may have more than six decimals: 1e-8 of the quote currency."""
RATE12 = 12
"""Rates and premiums: 1e-12."""

LEVELS = 20
"""Levels a side in a book row. Source: PROTOCOL, l2Book."""
LEVEL_FIELDS = ("bid_px", "bid_sz", "ask_px", "ask_sz")


class Column(NamedTuple):
    """A column: its name, ``int`` or ``text``, and the decimals an integer stands for."""

    name: str
    type: str = "int"
    decimals: int = 0


class Kind(NamedTuple):
    """A table schema.

    Args of note: ``period`` day, year or all; ``key`` the columns that identify a row of one coin
    (the same key twice with other content is two truths); empty: rows have no identity and may only
    repeat their neighbour; ``rising`` says that a row older than one before it is set aside
    (``backward``) instead of sorted into its place.
    """

    name: str
    columns: tuple[Column, ...]
    period: str
    key: tuple[str, ...]
    rising: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names in order."""
        return tuple(column.name for column in self.columns)


STAMPS = (Column("exch"), Column("recv"), Column("row"))


def _ints(decimals: int, *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "int", decimals) for name in names)


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text") for name in names)


def _levels(px: int = PX_OWN, sz: int = SZ_OWN) -> tuple[Column, ...]:
    return tuple(
        Column(f"{field}_{level}", "int", px if field.endswith("px") else sz)
        for level in range(LEVELS)
        for field in LEVEL_FIELDS
    )


_KINDS = (
    Kind("book", (*STAMPS, *_levels()), "day", (), rising=True),
    Kind(
        "bbo",
        (
            *STAMPS,
            *(Column(f, "int", PX_OWN if f.endswith("px") else SZ_OWN) for f in LEVEL_FIELDS),
        ),
        "day",
        (),
        rising=True,
    ),
    Kind(
        "trade",
        (
            *STAMPS,
            *_ints(PX_OWN, "px"),
            *_ints(SZ_OWN, "sz"),
            *_ints(0, "side", "tid", "aside"),
        ),
        "day",
        ("tid",),
    ),
    # Public series ------------------------------------------------------------------------------
    Kind(
        "candle",
        (
            *STAMPS,
            *_ints(0, "interval_ms", "close_time"),
            *_ints(PX10, "open", "high", "low", "close"),
            *_ints(VOLUME6, "volume"),
            *_ints(0, "trades"),  # -1 not told
        ),
        "year",
        ("interval_ms", "exch"),
    ),
    Kind(
        "funding",
        (*STAMPS, *_ints(RATE12, "rate", "premium"), *_ints(0, "has_premium")),
        "year",
        ("exch",),
    ),
    Kind(
        "ctx",
        (
            *STAMPS,
            *_ints(PX10, "mark", "oracle", "mid", "impact_bid", "impact_ask", "prev_day"),
            *_ints(RATE12, "funding", "premium"),
            *_ints(SZ8, "open_interest"),
            *_ints(MONEY8, "day_notional"),
            *_ints(VOLUME6, "day_volume"),
            *_texts("missing"),  # names of the columns the source did not tell, comma-separated
            *_texts("finer"),  # name=text of numbers finer than their column, which is rounded
        ),
        "year",
        ("exch",),
    ),
    Kind("oi", (*STAMPS, *_ints(OI10, "open", "high", "low", "close")), "year", ("exch",)),
    Kind(
        "diff",
        (
            *STAMPS,
            *_ints(0, "side"),
            *_ints(PX10, "px"),
            *_ints(SZ8, "sz"),
            *_ints(0, "first_id", "last_id", "previous_id", "is_snapshot"),
        ),
        "day",
        (),
    ),
    # Other venues: their prices lie on grids of their own -----------------------------------------
    Kind("depth", (*STAMPS, *_levels(PX10, SZ8)), "day", (), rising=True),
    Kind(
        "quote",
        (
            *STAMPS,
            *(Column(f, "int", PX10 if f.endswith("px") else SZ8) for f in LEVEL_FIELDS),
            Column("update_id"),  # -1 not told
        ),
        "day",
        (),
        rising=True,
    ),
    Kind(
        "print",
        (
            *STAMPS,
            *_ints(PX10, "px"),
            *_ints(SZ8, "sz"),
            *_ints(0, "side", "tid"),  # side 0 not told; tid below 0 not told: made of the stamp
        ),
        "day",
        ("tid",),
    ),
    # Accounts -----------------------------------------------------------------------------------
    Kind(
        "fill",
        (
            *STAMPS,
            *_texts("user"),
            *_ints(PX10, "px"),
            *_ints(SZ8, "sz", "start_position"),
            *_ints(0, "side", "crossed", "oid", "tid"),  # crossed -1 not told
            *_ints(MONEY8, "closed_pnl", "fee", "builder_fee"),
            *_texts("dir", "fee_token", "hash", "cloid", "builder", "twap_id", "liquidation"),
            # JSON of the source's own words that no other column holds exactly; '' when all fit:
            # numbers with more decimals (their column is rounded) and fields without a column.
            *_texts("extra"),
            *_ints(0, "block"),  # 0 not told
        ),
        "year",
        ("user", "tid", "side", "oid", "hash", "px", "sz", "start_position"),
    ),
    Kind(
        "payment",
        (
            *STAMPS,
            *_texts("user"),
            *_ints(MONEY8, "usdc"),
            *_ints(SZ8, "szi"),
            *_ints(RATE12, "rate"),
            *_texts("hash"),
        ),
        "year",
        ("user", "exch"),
    ),
    Kind(
        "ledger",
        (
            *STAMPS,
            *_texts("user", "type"),
            *_ints(MONEY8, "usdc"),
            *_ints(0, "has_usdc"),
            *_texts("hash", "delta"),
        ),
        "all",
        (),
    ),
    Kind(
        "portfolio",
        (*STAMPS, *_texts("user", "period", "type"), *_ints(MONEY8, "value")),
        "all",
        ("user", "period", "type", "exch"),
    ),
    Kind(
        "liquidation",
        (
            *STAMPS,
            *_texts("user", "episode", "margin_type"),
            *_ints(MONEY8, "notional", "account_value"),
            *_ints(0, "has_account_value"),
        ),
        "all",
        (),
    ),
    Kind(
        "order_status",
        (
            *STAMPS,
            *_texts("user", "status"),
            *_ints(0, "side", "oid"),
            *_ints(PX10, "limit_px"),
            *_ints(SZ8, "sz", "orig_sz"),
            *_texts("order"),
        ),
        "day",
        (),
    ),
    Kind(
        "book_diff",
        (
            *STAMPS,
            *_texts("user", "action"),  # new, update, remove
            *_ints(0, "side", "oid"),
            *_ints(PX10, "px"),
            *_ints(SZ8, "sz", "orig_sz"),
            *_texts("insert_before"),
        ),
        "day",
        (),
    ),
    # As it came ---------------------------------------------------------------------------------
    Kind("answer", (*STAMPS, *_texts("name", "request", "status", "response")), "all", ("name",)),
    Kind("frame", (*STAMPS, *_texts("channel", "text")), "all", ()),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
"""Every kind by name."""

NO_COIN = "-"
"""Coin of rows that belong to none."""
