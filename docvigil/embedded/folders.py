"""Where an embedded instance keeps things, so that every process that needs them can reach them.

Postgres refuses to run as root: root's instance runs it as `nobody`, and then its binaries, data and socket must lie
where `nobody` can go. Sockets have paths of at most 107 bytes, so they can't always lie under the instance's folder.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

#: Room for `/.s.PGSQL.5432.lock` in a socket's path (sun_path has 108 bytes with its end).
LONGEST_SOCKET_FOLDER = 80

#: Where root's instances keep what `nobody` must reach when their own folder is closed to it.
SHARED = Path("/var/lib/docvigil")


@dataclass(frozen=True)
class Folders:
    """`run_as` is the user Postgres runs as, None for our own."""

    home: Path
    sockets: Path
    postgres: Path
    redis: Path
    logs: Path
    run_as: str | None

    @classmethod
    def of(cls, home: Path) -> Folders:
        """The folders of the instance at `home`, made where they are missing."""
        home.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        run_as = "nobody" if os.geteuid() == 0 else None
        open_home = run_as is None or reachable(home)
        sockets = home / "run"
        if len(os.fsencode(sockets)) > LONGEST_SOCKET_FOLDER or not open_home:
            sockets = Path(tempfile.gettempdir()) / f"docvigil-{os.geteuid()}-{name}"
        folders = cls(home, sockets, _postgres(home, name, open_home), home / "redis", home / "logs", run_as)
        for private in (folders.redis, folders.logs):
            private.mkdir(parents=True, exist_ok=True)
            private.chmod(0o700)
        for owned in (folders.sockets, folders.postgres):
            folders.own(owned)
        return folders

    def own(self, folder: Path) -> None:
        """Makes a folder that only the user Postgres runs as may enter (and root, who may everything).

        Raises PermissionError where somebody else made it before: a socket folder in a shared place may be a trap.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.run_as:
            owner = folder.stat().st_uid
            if owner != os.geteuid():
                raise PermissionError(f"{folder} belongs to another user ({owner}); remove it, or set TMPDIR")
            folder.chmod(0o700)
            return
        entry = pwd.getpwnam(self.run_as)
        if folder.is_symlink() or folder.stat().st_uid not in (0, entry.pw_uid):
            raise PermissionError(f"{folder} belongs to another user; remove it, or set TMPDIR")
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o700)


def _postgres(home: Path, name: str, open_home: bool) -> Path:
    """Where the database lies: in `home`, or where a link in it leads to because Postgres can't reach `home`.

    The link is what ties the two together: a folder that is moved keeps its database, and one that is made anew under
    an old name begins anew. Raises PermissionError where a database lies in `home` that can't be reached any more.
    """
    inside = home / "postgres"
    if inside.is_symlink():
        return inside.readlink()
    if open_home:
        return inside
    if inside.exists():
        raise PermissionError(
            f"the database in {inside} can't be reached by the user nobody, whom Postgres runs as; allow passing"
            f" through the folders above it (chmod o+x), or set DOCVIGIL_HOME to another folder"
        )
    SHARED.mkdir(parents=True, exist_ok=True, mode=0o755)
    elsewhere = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=SHARED))
    elsewhere.chmod(0o755)
    inside.symlink_to(elsewhere / "postgres")
    return elsewhere / "postgres"


def reachable(path: Path) -> bool:
    """Whether every user may pass through all folders of a path."""
    return all(each.stat().st_mode & stat.S_IXOTH for each in (path, *path.parents))


def shared_copy(folder: Path, name: str) -> Path:
    """A copy of a program's folder that every user can reach; the folder itself where it is so already.

    Made once and moved into place whole, so that two instances that start at once don't see half of it.
    """
    if reachable(folder):
        return folder
    target = SHARED / name
    if not target.exists():
        SHARED.mkdir(parents=True, exist_ok=True, mode=0o755)
        SHARED.chmod(0o755)
        partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=SHARED))
        partial.chmod(0o755)
        shutil.copytree(folder, partial, symlinks=True, dirs_exist_ok=True)
        try:
            partial.rename(target)
        except OSError:
            # Another instance was faster.
            shutil.rmtree(partial)
            if not target.exists():
                raise
    return target
