"""A small grammar of English and Spanish: dates, clock times, prices and quantities."""
