"""Where the pretend company's systems are and with what they open. A company's own are in its ``systems.yaml``."""

from __future__ import annotations

from tools.contract import ApiKey, Auth, OAuth2, System

PRACTICE_PORT = 8700
PRACTICE_SYSTEMS = 12


def practice_system(name: str, title: str, auth: Auth, *, offset: int) -> System:
    """A system of the sandbox at its default port. The secrets are published and open nothing else."""
    phrase = {OAuth2: "practice-secret", ApiKey: "practice-key"}.get(type(auth), "practice")
    return System(
        name=name,
        title=title,
        auth=auth,
        url=f"http://127.0.0.1:{PRACTICE_PORT + offset}",
        user="" if isinstance(auth, ApiKey) else "steward",
        secret=f"practice:{phrase}",
    )
