"""Models as one file that other runtimes score with, and the contract that their scores keep.

Reading such a file and scoring with it needs neither torch nor anomalib.
"""
