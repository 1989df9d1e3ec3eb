"""A made-up run of many strategies over many coins and months, for pages of that size."""

import numpy as np

from hatmanifesto.analytics.mids import Mids
from hatmanifesto.apps.report_build import RunIdentity, analyse
from hatmanifesto.domain.commands import Place
from hatmanifesto.domain.enums import Tif
from hatmanifesto.domain.events import Filled, FundingPaid, Opened
from hatmanifesto.domain.records import (
    Allocation,
    Allotted,
    BatchMark,
    Began,
    Ended,
    Signal,
    StrategyFailed,
)
from hatmanifesto.domain.units import NS_HOUR, NS_S
from hatmanifesto.domain.universe import PERPS

T0 = 1_735_689_600 * NS_S  # 2025-01-01
CAPITAL = 5_000_000 * 10**6


def house(*, coins, books, days, fills, seed=3):
    """Return the analysis of a run of ``fills`` fills; every seventh is a taker's."""
    rng = np.random.Generator(np.random.PCG64(seed))
    hours = 24 * days
    ts = T0 + np.arange(hours, dtype=np.int64) * NS_HOUR
    mids = {}
    for coin in range(coins):
        steps = rng.normal(0, 0.004, size=hours).cumsum()
        mids[coin] = Mids(ts, (2 * 1_000_000 * np.exp(steps)).astype(np.int64) + 1)
    records = [Began("{}"), BatchMark(T0, 1, 0)]
    when = np.sort(rng.integers(2 * NS_HOUR, hours * NS_HOUR - NS_HOUR, size=fills)) + T0
    held = {}
    for intent, stamp in enumerate(when.tolist()):
        key = (int(rng.integers(0, books)), int(rng.integers(0, coins)))
        at = int(np.searchsorted(ts, stamp)) - 1
        mid2 = int(mids[key[1]].mid2[at])
        side = -1 if held.get(key, 0) > 0 else 1 if held.get(key, 0) < 0 else (-1) ** intent
        sz = abs(held.get(key, 0)) or int(rng.integers(5_000, 40_000))
        held[key] = held.get(key, 0) + side * sz
        is_taker = intent % 7 == 0
        px = mid2 // 2 + (side if is_taker else -side) * 80
        decided = stamp - int(rng.integers(1, 900)) * NS_S
        tif = Tif.IOC if is_taker else Tif.ALO
        signal = intent + 1
        records.append(Signal(signal, *key, 1.0, 0, decided, "", 1 + intent % 6, decided))
        records.append(
            Place(intent, *key, 0, side, px, sz, tif, False, mid2, decided, signal=signal)
        )
        records.append(Opened(intent, intent, sz, decided, decided))
        fee = px * sz * (450 if is_taker else 150) // 10**6
        records.append(Filled(intent, intent, px, sz, fee, is_taker, False, stamp, stamp + NS_S))
    for day in range(1, days):
        stamp = T0 + day * 24 * NS_HOUR
        records.append(FundingPaid(day % coins, 10_000, 10**9, 125_000, -900_000, stamp, stamp))
    for day in range(0, days, 30):
        split = tuple(
            Allotted(book, CAPITAL // books, 1 / books, 0.0004, 0.01, 24 * day)
            for book in range(books)
        )
        records.append(Allocation(T0 + day * 24 * NS_HOUR, "risk_parity", "every 30 days", split))
    records.append(StrategyFailed(books - 1, 0, "ZeroDivisionError: division by zero", T0))
    records += [BatchMark(int(ts[-1]), 1, 0), Ended("end of data", 2, "0")]
    names = [f"strategy{i}" for i in range(books)]
    run = RunIdentity(list(PERPS.values())[:coins], names, CAPITAL, 7, "house", "ASSUMED")
    return analyse(records, mids, run)
