"""Commands that do not outlive the process that starts them."""

from __future__ import annotations

import contextlib
import os
import subprocess

_GUARD = 'read _; kill -s KILL -- "-$1"'


class Child(subprocess.Popen):
    """A command that ends, with all that it started, when this process does.

    The command leads a process group. Beside it a shell waits for the end of its own
    input, of which this process holds the other end, and then kills the group: so
    nothing stays behind when this process is killed or its terminal closes. On Windows
    there is no such shell, and only the command itself can be ended.
    """

    def __init__(self, command: str | list[str], **settings: object) -> None:
        """Start a command; `settings` are those of `subprocess.Popen`."""
        super().__init__(command, start_new_session=True, **settings)
        self._guard = None
        if os.name != "nt":
            self._guard = subprocess.Popen(
                ["sh", "-c", _GUARD, "sh", str(self.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def __exit__(self, *exception: object) -> None:
        self.end()
        super().__exit__(*exception)

    def end(self, patience: float = 0) -> None:
        """End the command and what it started; a second call does nothing.

        With `patience`, the command is first asked to end, and killed only if it has
        not ended after so many seconds.
        """
        if patience and self.poll() is None:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.wait(patience)
        if self._guard:
            self._guard.communicate()
        else:
            self.kill()
        self.wait()
