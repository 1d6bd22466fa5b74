"""What ends a backtest before it has a result; the message says what to do."""


class BacktestRefused(Exception):
    """The export, the model or the folder cannot be used."""
