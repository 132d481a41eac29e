"""Redis as all processes use it: clients, all keys, Lua scripts, token buckets for rate limits, and the common clock."""
