"""One thread for small fits, and all of them again afterwards."""

import numpy as np
from fiftyone.plugins.orgs.second_opinion.audit.engine.one_thread import one_blas_thread
from threadpoolctl import threadpool_info, threadpool_limits


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))  # loads it
    return {
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    }


def test_runs_that_overlap_leave_the_threads_as_they_were():
    with threadpool_limits(2, user_api="blas"):  # whatever the machine has
        one_blas_thread.__enter__()
        one_blas_thread.__enter__()  # another run begins before the first ends
        assert blas_threads() == {1}
        one_blas_thread.__exit__()
        assert blas_threads() == {1}
        one_blas_thread.__exit__()
        assert blas_threads() == {2}
        with one_blas_thread:
            assert blas_threads() == {1}
        assert blas_threads() == {2}
