"""The subcommands of `qungong`, one file each; cli.py loads the one that is called."""
