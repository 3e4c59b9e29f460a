"""One file a section of the benchmarks, each with `figures(bench)`; `tests.benchmarks.run` lists them."""
