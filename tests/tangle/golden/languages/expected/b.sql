-- Select
SELECT 1; -- it
