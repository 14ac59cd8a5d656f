"""Log-in: people of the directory with the demo password, and a brake on guessing."""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from datetime import datetime, timedelta

from chainlit.user import User
from fastapi import HTTPException

from governance.clock import Clock
from governance.people import Directory
from surfaces.chat.data_layer import persisted

_ATTEMPTS = 8
_WINDOW = timedelta(minutes=1)
_REMEMBERED = 10_000
_LONGEST = 320


class LogIn:
    """Checks passwords. Wrong attempts are counted for each name, known or not, so that nothing is told by that."""

    def __init__(self, directory: Directory, password: str, clock: Clock) -> None:
        self._directory = directory
        self._password = password.encode()
        self._clock = clock
        self._failed: OrderedDict[str, deque[datetime]] = OrderedDict()

    async def __call__(self, username: str, password: str) -> User | None:
        """The person, or None when name or password is wrong.

        Raises:
            HTTPException: 429, too many wrong attempts for this name within a minute.

        """
        name = username.strip().casefold()[:_LONGEST]
        if self._braked(name):
            raise HTTPException(429, detail="Too many attempts.")
        person = self._directory.find(name)
        if hmac.compare_digest(password.encode(), self._password) and person is not None:
            self._failed.pop(name, None)
            user = persisted(person)
            return User(identifier=user.identifier, display_name=user.display_name, metadata=user.metadata)
        self._failed.setdefault(name, deque(maxlen=_ATTEMPTS)).append(self._clock.now())
        self._failed.move_to_end(name)
        while len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        return None

    def _braked(self, name: str) -> bool:
        failed = self._failed.get(name)
        return failed is not None and len(failed) == _ATTEMPTS and self._clock.now() - failed[0] < _WINDOW
