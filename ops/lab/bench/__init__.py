"""`ops/bench`: how fast the service is, by part, beside what people would write instead.

Each part is a module with a click command; `__main__` gathers them. A part measures, then hands its tables and plots to
`report.write`, which leaves `PART.json`, `PART.md` and `PART-*.svg` in the directory of the report.
"""
