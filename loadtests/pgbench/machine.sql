-- The same CPU work each time, without a table: tells how fast the machine is just now.
SELECT sum(n * n) FROM generate_series(1, 2000) AS s(n);
