"""`python -m docvigil.embedded.leash PARENT SIGNAL [USER] -- COMMAND…`: becomes the command, tied to its parent's life.

When the parent ends, however it ends, the kernel sends the signal. The user is changed here and not by the parent,
since changing it afterwards would cut the leash. Nothing heavy is imported: every start of a service passes here.
"""

import ctypes
import os
import pwd
import signal
import sys

#: prctl(2): a signal for this process when its parent dies.
PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Never returns: the command takes this process over."""
    split = arguments.index("--")
    parent, number, *user = arguments[:split]
    command = arguments[split + 1 :]
    if user:
        entry = pwd.getpwnam(user[0])
        os.setgroups([])
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != int(parent):
        # The parent died before the leash was on.
        os.kill(os.getpid(), signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
