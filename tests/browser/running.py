"""The chat and the sandbox company as processes, and people with browsers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.async_api import Browser, BrowserContext, Page, Route
from playwright.async_api import TimeoutError as PatienceOver

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "practice-makes-perfect"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
_SERVE = "from surfaces.chat.serve import serve\nfrom runtime.settings import Settings\nserve(Settings())"
_PATIENCE = 40


def free_block(count: int) -> int:
    """The first of ``count`` consecutive free ports."""
    for base in range(21000, 60000, 97):
        sockets = [socket.socket() for _ in range(count)]
        try:
            for offset, each in enumerate(sockets):
                each.bind(("127.0.0.1", base + offset))
        except OSError:
            continue
        else:
            return base
        finally:
            for each in sockets:
                each.close()
    raise OSError("no free ports")


@dataclass
class Served:
    """A chat that can be killed and started again on the same state, beside a sandbox company that stays."""

    state: Path
    base: int
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where the chat is."""
        return f"http://127.0.0.1:{self.base + 13}"

    async def start(self) -> None:
        """Start what does not run; return when the chat answers."""
        if "sandbox" not in self.processes:
            company = ("-m", "sandbox", "--base-port", str(self.base), "--state", str(self.state / "sandbox"))
            await self._run("sandbox", *company)
            await self._answers(f"http://127.0.0.1:{self.base}/health", "sandbox")
        await self._run("chat", "-c", _SERVE)
        await self._answers(f"{self.url}/health", "chat")

    async def kill(self) -> None:
        """kill -9."""
        process = self.processes.pop("chat")
        process.kill()
        await process.wait()

    async def stop(self) -> None:
        """Stop all."""
        for name in list(self.processes):
            process = self.processes.pop(name)
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    def log(self, name: str = "chat") -> str:
        """What a process has said."""
        return (self.state / f"{name}.log").read_text(encoding="utf-8")

    async def _run(self, name: str, *arguments: str) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "STEWARD_STATE": str(self.state),
            "STEWARD_SANDBOX_PORT": str(self.base),
            "STEWARD_CHAT_PORT": str(self.base + 13),
            "STEWARD_DEMO_PASSWORD": PASSWORD,
            "DATABASE_URL": "postgresql://somebody-elses/database",  # Chainlit reads this one; we must not
        }
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    async def _answers(self, url: str, name: str) -> None:
        async with httpx.AsyncClient() as client, asyncio.timeout(_PATIENCE):
            while True:
                try:
                    if (await client.get(url)).is_success:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.1)  # sleep: another process is starting, and tells nobody
                if self.processes[name].returncode is not None:
                    raise RuntimeError(f"{name} ended:\n{self.log(name)}")


@dataclass
class Somebody:
    """A person at a browser of their own, in which no host but ours can be reached."""

    served: Served
    context: BrowserContext
    page: Page
    strangers: list[str] = field(default_factory=list)

    async def log_in(self, who: str, password: str = PASSWORD) -> None:
        """Fill in the form and send it."""
        await self.page.goto(f"{self.served.url}/login")
        await self.page.fill("#email", f"{who}@acme.example")
        await self.page.fill("#password", password)
        await self.page.click("button[type=submit]")

    async def arrive(self, who: str) -> None:
        """Log in, and be there."""
        await self.log_in(who)
        await self.page.wait_for_selector("#chat-input")

    async def say(self, text: str) -> None:
        """Type a message and send it. When questions arrive just then, the first page makes room and forgets the words."""
        for _ in range(3):
            await self.page.click("#chat-input")
            await self.page.keyboard.insert_text(text)
            with contextlib.suppress(PatienceOver):
                await self.page.click("#chat-submit:not([disabled])", timeout=4000)  # enabled once it is connected
                break
        await self.page.wait_for_function("location.pathname.startsWith('/thread/')")

    async def press(self, card: str, button: str) -> None:
        """Press a button of the last such card."""
        await self.page.locator(card).last.get_by_role("button", name=button, exact=True).click()

    async def sees(self, selector: str, *, seconds: float = 15) -> None:
        """Return once something is there."""
        await self.page.wait_for_selector(selector, timeout=seconds * 1000)

    async def reads(self, text: str, *, seconds: float = 15) -> None:
        """Return once a text is there."""
        await self.page.get_by_text(text).first.wait_for(timeout=seconds * 1000)

    async def act(self, payload: dict[str, Any]) -> Any:
        """Send what a card's button sends, whatever the page shows: a forged click."""
        cookies = {cookie["name"]: cookie["value"] for cookie in await self.context.cookies()}
        body = {
            "sessionId": cookies["X-Chainlit-Session-id"],
            "action": {"name": "decide", "payload": payload, "label": "", "tooltip": "", "id": "forged"},
        }
        return await self.page.evaluate(
            "async (body) => (await fetch('/project/action', {method: 'POST', body: JSON.stringify(body),"
            " headers: {'Content-Type': 'application/json'}})).json()",
            body,
        )


async def somebody(browser: Browser, served: Served, *, width: int = 1360, height: int = 860) -> Somebody:
    """A fresh browser window."""
    context = await browser.new_context(viewport={"width": width, "height": height}, base_url=served.url)
    person = Somebody(served, context, await context.new_page())

    async def only_ours(route: Route) -> None:
        if urlsplit(route.request.url).hostname == "127.0.0.1":
            await route.continue_()
        else:
            person.strangers.append(route.request.url)
            await route.abort()

    await context.route(lambda url: url.startswith("http"), only_ours)
    return person
