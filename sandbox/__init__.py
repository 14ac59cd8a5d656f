"""The pretend company Acme: nine small HTTP systems to practise on. A separate program; nothing imports it."""
