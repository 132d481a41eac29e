"""Commands for those who run or develop the service; the service itself imports none of them."""
