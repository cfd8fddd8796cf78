"""Keyrings for tests: one in memory, and some that people meet."""

import getpass

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

#: The entry that astroquery uses.
ENTRY = ("astroquery:mast.stsci.edu.token", "masttoken")


class MemoryKeyring(KeyringBackend):
    """Keeps its entries in ``entries``, and counts how often it is read."""

    priority = 0.1

    def __init__(self):
        super().__init__()
        self.entries, self.reads = {}, 0

    def get_password(self, service, username):
        self.reads += 1
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.entries:
            raise PasswordDeleteError("no such entry")
        del self.entries[service, username]


class LockedKeyring(MemoryKeyring):
    """Stays locked, and repeats in its error what it was given."""

    priority = 0.1

    def get_password(self, service, username, password=None):
        raise KeyringLocked(f"locked: {password}")

    set_password = delete_password = get_password


class AskingKeyring(MemoryKeyring):
    """Asks for a password on the terminal, as an encrypted file does."""

    priority = 0.1

    def get_password(self, service, username, password=None):
        return getpass.getpass("Password of the keyring: ")

    set_password = delete_password = get_password


class InputKeyring(AskingKeyring):
    """Asks as a program does that knows no better."""

    priority = 0.1

    def get_password(self, service, username, password=None):
        return input("Password of the keyring: ")

    set_password = delete_password = get_password


class FileKeyring(MemoryKeyring):
    """Keeps its one entry in the file that the environment names; a third party's keyring."""

    priority = 0.1

    def __init__(self):
        import os
        from pathlib import Path

        super().__init__()
        self.path = Path(os.environ["KEYRING_FILE"])

    def get_password(self, service, username):
        return self.path.read_text() if self.path.exists() else None

    def set_password(self, service, username, password):
        self.path.write_text(password)

    def delete_password(self, service, username):
        self.path.unlink()
