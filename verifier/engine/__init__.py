"""The engine: plan, observe, enclose, judge, record. The only place where the stages meet."""
