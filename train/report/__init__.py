"""The folder of an experiment as one page: findings, tables, curves, and the pictures behind them.

    write_report(Path("reports/sim_to_real"), compose)    # report.html and tables/*.csv in it

It reads what the experiment left there (results.json, predictions, models) and the pictures of its
datasets, and computes no metric anew; `compose` is the experiment's own and says which sections.
"""

from train.report.write import check_report, write_report

__all__ = ["check_report", "write_report"]
