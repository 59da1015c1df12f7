"""The folder of a sim-to-real experiment as one page: tables, curves, and the pictures behind them.

    write_report(Path("reports/sim_to_real"))    # writes report.html and tables/*.csv in it

It reads what the experiment left there (results.json, predictions, models) and the pictures of its
datasets, and computes no metric anew.
"""

from train.report.write import write_report

__all__ = ["write_report"]
