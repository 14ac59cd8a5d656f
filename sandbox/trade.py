"""With whom Acme trades at its first start: suppliers, budgets, customers, contracts, invoices. Money is in US cents."""

from collections.abc import Iterator

from sandbox.engine.store import JsonObject

# name, standing, orders, late ones, spent
_SUPPLIERS = (
    ("Keystone Computing", "known", 14, 1, 31_840_000),
    ("Lantern Office Supply", "known", 62, 2, 4_120_000),
    ("Meridian Cloud", "known", 9, 0, 12_600_000),
    ("Pinewood Furniture", "known", 5, 3, 2_260_000),
    ("Quickline Freight", "blocked", 3, 3, 910_000),
)
# cost centre, budget, committed
_BUDGETS = (
    ("R&D", 60_000_000, 48_000_000),
    ("IT", 25_000_000, 9_500_000),
    ("Finance", 8_000_000, 2_400_000),
    ("People", 9_000_000, 5_750_000),
    ("Sales", 12_000_000, 11_800_000),
)
_CATEGORIES = ("hardware", "software", "services", "furniture", "office supplies")
_QUEUES = (
    ("inbox", "Not looked at yet", None),
    ("general", "General questions", "annie.easley@acme.example"),
    ("billing", "Invoices and payments", "mary.jackson@acme.example"),
    ("technical", "Faults and access", "alan.turing@acme.example"),
    ("senior", "Senior support", "grace.hopper@acme.example"),
)
# id, name, mail, tier, a year's value
_CUSTOMERS = (
    ("cus-0001", "Halberd Logistics", "accounts@halberd.example", "largest", 96_000_000),
    ("cus-0002", "Brightwater Foods", "finance@brightwater.example", "key", 24_000_000),
    ("cus-0003", "Kestrel Robotics", "office@kestrel.example", "standard", 3_600_000),
)
# id, customer, units, price of a unit
_CONTRACTS = (
    ("ctr-0001", "cus-0001", 800, 10_000),
    ("ctr-0002", "cus-0002", 250, 8_000),
    ("ctr-0003", "cus-0003", 40, 7_500),
)
# number, contract, period, units, price of a unit
_INVOICES = (
    ("INV-1001", "ctr-0001", "2026-10", 800, 10_000),
    ("INV-1002", "ctr-0001", "2026-11", 800, 10_500),
    ("INV-1003", "ctr-0002", "2026-10", 250, 8_000),
    ("INV-1004", "ctr-0002", "2026-11", 255, 8_000),
    ("INV-1005", "ctr-0003", "2026-10", 40, 7_500),
    ("INV-1006", "ctr-0003", "2026-11", 44, 7_500),
)


def trade_records() -> Iterator[tuple[str, str, str, JsonObject]]:
    """The seeded records of procurement, support and billing: system, kind, id, record."""
    yield from _buying()
    for queue, title, agent in _QUEUES:
        yield "support", "queue", queue, {"queue": queue, "title": title, "agent": agent}
    yield from _selling()


def _buying() -> Iterator[tuple[str, str, str, JsonObject]]:
    for name, standing, orders, late, cents in _SUPPLIERS:
        record = {"supplier": name, "standing": standing, "orders": orders, "lateOrders": late, "spentCents": cents}
        yield "procurement", "supplier", name, record
    for centre, budget, committed in _BUDGETS:
        record = {"costCentre": centre, "budgetCents": budget, "committedCents": committed}
        yield "procurement", "budget", centre, record
    for category in _CATEGORIES:
        yield "procurement", "category", category, {"category": category}


def _selling() -> Iterator[tuple[str, str, str, JsonObject]]:
    mails = {}
    for identifier, name, mail, tier, cents in _CUSTOMERS:
        mails[identifier] = mail
        record = {"customerId": identifier, "name": name, "mail": mail, "tier": tier, "annualValueCents": cents}
        yield "billing", "customer", identifier, record
    owners = {}
    for identifier, customer, units, cents in _CONTRACTS:
        owners[identifier] = customer
        record = {"contractId": identifier, "customerId": customer, "units": units, "unitPriceCents": cents}
        yield "billing", "contract", identifier, record
    for number, contract, period, units, cents in _INVOICES:
        yield (
            "billing",
            "invoice",
            number,
            {
                "invoiceNo": number,
                "contractId": contract,
                "customerId": owners[contract],
                "customerMail": mails[owners[contract]],
                "period": period,
                "units": units,
                "unitPriceCents": cents,
                "totalCents": units * cents,
                "currency": "USD",
            },
        )
