"""Programs or suites of conditions in; judged tables, plots and sheets out."""
