"""The real program as a subprocess, and HTTP clients that know each system's credentials."""

import json
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx

from sandbox import credentials

ROOT = Path(__file__).parents[2]
OAUTH = ("identity", "orgchart", "expenses", "procurement")
BASIC = ("facilities", "training", "mail", "support")


class TokenAuth(httpx.Auth):
    """Gets an access token on the first 401 and again when it is out of date."""

    requires_response_body = True

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = "none-yet"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == 401:
            form = {
                "grant_type": "client_credentials",
                "client_id": credentials.CLIENT_ID,
                "client_secret": credentials.CLIENT_SECRET,
            }
            token = yield httpx.Request("POST", f"{self._url}/oauth/token", data=form)
            self._token = token.json()["access_token"]
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


class Company:
    """A running sandbox on free ports, with its state in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        ports_file = folder / "ports.json"
        command = [sys.executable, "-m", "sandbox", "--base-port", "0", "--ports-file", str(ports_file)]
        self.process = subprocess.Popen(
            [*command, "--state", str(folder / "state")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.table = self._read_table()
        self.ports: dict[str, int] = json.loads(ports_file.read_text())
        self._clients: dict[str, httpx.Client] = {}

    def url(self, system: str) -> str:
        return f"http://127.0.0.1:{self.ports[system]}"

    def __getitem__(self, system: str) -> httpx.Client:
        """Give the client of a system, with its credentials; `control` needs none."""
        if system not in self._clients:
            self._clients[system] = httpx.Client(base_url=self.url(system), auth=self._auth(system), timeout=5)
            if system not in {"control", *OAUTH, *BASIC}:
                self._clients[system].headers["X-Api-Key"] = credentials.API_KEY
        return self._clients[system]

    def order_fault(self, **fault: Any) -> None:
        assert self["control"].post("/faults", json=fault).status_code == 201

    def advance(self, seconds: float) -> None:
        self["control"].post("/clock", json={"advance_seconds": seconds}).raise_for_status()

    def effects(self, system: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self["control"].get("/effects", params={"system": system}).json()["effects"]
        return listed

    def effect_count(self, system: str) -> int:
        return sum(effect["count"] for effect in self.effects(system))

    def outcomes(self, system: str) -> dict[str, int]:
        requests = self["control"].get("/effects", params={"system": system}).json()["requests"]
        return {request["outcome"]: request["count"] for request in requests if request["operation"] != "issue_token"}

    def end(self, *, kill: bool = False) -> int:
        """End the program; give its exit status."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        status = self.process.wait(timeout=10)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status

    def _auth(self, system: str) -> httpx.Auth | None:
        if system in OAUTH:
            return TokenAuth(self.url(system))
        if system in BASIC:
            return httpx.BasicAuth(credentials.BASIC_USER, credentials.BASIC_PASSWORD)
        return None

    def _read_table(self) -> str:
        lines: list[str] = []
        if self.process.stdout is not None:
            for line in self.process.stdout:
                lines.append(line)
                if "stops it" in line:
                    return "".join(lines)
        raise AssertionError("The sandbox did not start: " + "".join(lines))
