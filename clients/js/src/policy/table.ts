// Generated from testdata/policy/table.json by `npm run table`. Do not edit.

/** Of each class: the range of the first attempt, that of the second, and the upper end at which it stops to double. */
export const CLASSES = {
	fast: [250, 1000, 500, 5000, 30000],
	normal: [250, 5000, 500, 5000, 30000],
	restart: [1000, 5000, 500, 5000, 30000],
	slow: [5000, 20000, 5000, 40000, 300000],
} as const;

/** A line a rule: subject, rule, class of attempt 1, class of later attempts, how many attempts, flags. */
export const CODES = `1000 = stop
1001 = normal
1002 = normal = 1 afresh
1003 = stop
1005 = normal = 3
1006 = normal
1007 = normal = 1
1008 = normal = 1 refresh afresh
1009 = normal = 1
1010 = stop
1011 = normal slow 3
1012 = restart normal
1013 = slow
1014 = normal
1015 = slow = 3
3000 = normal = 1 refresh
3001-3002 range-registered normal = 3
3003 = stop
3004-3007 range-registered normal = 3
3008 = fast normal
3009-3999 range-registered normal = 3
4000-4999 range-private normal = 3`;

export const STATUSES = `200-299 status-2xx slow = 3
300-399 status-3xx stop
400 status-4xx stop
401 status-401 normal = 1 refresh
402 status-4xx stop
403 status-403 normal = 1 refresh
404 status-404 slow = 3
405-407 status-4xx stop
408 status-408 normal
409-420 status-4xx stop
421 status-421 slow = 3
422-424 status-4xx stop
425 status-425 normal
426-428 status-4xx stop
429 status-429 slow
430-499 status-4xx stop
500 status-5xx normal
501 status-501 stop
502 status-5xx normal
503 status-503 restart normal
504 status-5xx normal
505 status-505 stop
506-509 status-5xx normal
510 status-510 stop
511 status-511 stop
512-599 status-5xx normal`;

export const CAUSES = `closed-locally = stop
pong-timeout = fast normal
protocol-error = normal = 1 afresh
connect-timeout = normal
handshake-invalid = stop`;

export const NATIVE_CAUSES = `drained = stop
dropped = stop
handler-failed = normal slow 3
idle-timeout = normal
invalid-data = normal = 1
message-too-big = normal = 1
dns = normal
refused = normal
unreachable = normal
handshake-eof = normal
handshake-reset = normal
handshake-timeout = normal
dns-unknown-name = slow
handshake-garbled = slow = 3`;
