"""``jdaviz-mast --print-completion bash``: what a shell needs to complete our commands."""

import argparse

__all__ = ["PrintCompletion"]

#: What the arguments of these names are.
_FOLDERS = ("download_dir",)
_FILES = ("output", "file", "manifest")


class PrintCompletion(argparse.Action):
    """Print a script for a shell, and end."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Do it, as argparse has it."""
        # Needed here alone, and every command would pay for it.
        import shtab

        for action in _actions(parser):
            if action.dest in _FOLDERS:
                action.complete = shtab.DIRECTORY
            elif action.dest in _FILES and not action.choices:
                action.complete = shtab.FILE
        print(shtab.complete(parser, shell=values))
        parser.exit(0)


def _actions(parser):
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield from _actions(command)
        else:
            yield action
