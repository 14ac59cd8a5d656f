"""The pretend company Acme: twelve small HTTP systems to practise on. A separate program; nothing imports it."""
