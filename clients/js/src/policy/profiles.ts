// Generated from testdata/policy/table.json by `npm run table`. Do not edit.

import { isByCode, type Planner } from "./decide.js";
import { rowsOf } from "./row.js";

/** A profile is about close codes; put it into the option `plans`. */
function profile(lines: string): Planner {
	const plan = rowsOf(lines);
	return (outcome) => (isByCode(outcome) ? plan(outcome.code) : undefined);
}

/** The private codes of `centrifugo`. */
export const centrifugo: Planner = profile(`3000-3499 centrifugo-3000-3499 normal
3500-3999 centrifugo-3500-3999 stop
4000-4499 centrifugo-4000-4499 normal
4500-4999 centrifugo-4500-4999 stop`);

/** The private codes of `discord`. */
export const discord: Planner = profile(`4000-4002 discord-4000-4999 normal
4003 discord-4003 normal = Infinity afresh
4004 discord-4004 stop
4005 discord-4005 normal = Infinity afresh
4006 discord-4000-4999 normal
4007-4008 discord-4007-4008 normal = Infinity afresh
4009 discord-4000-4999 normal
4010-4014 discord-4010-4014 stop
4015-4999 discord-4000-4999 normal`);

/** The private codes of `graphql-ws`. */
export const graphqlWs: Planner = profile(`4000-4003 graphql-ws-4000-4999 normal
4004-4005 graphql-ws-4004-4005 stop
4006-4399 graphql-ws-4000-4999 normal
4400-4401 graphql-ws-4400-4401 stop
4402-4405 graphql-ws-4000-4999 normal
4406 graphql-ws-4406 stop
4407-4408 graphql-ws-4000-4999 normal
4409 graphql-ws-4409 stop
4410-4428 graphql-ws-4000-4999 normal
4429 graphql-ws-4429 stop
4430-4499 graphql-ws-4000-4999 normal
4500 graphql-ws-4500 stop
4501-4999 graphql-ws-4000-4999 normal`);

/** The private codes of `http`. */
export const http: Planner = profile(`4400 status-4xx stop
4401 status-401 normal = 1 refresh
4402 status-4xx stop
4403 status-403 normal = 1 refresh
4404 status-404 slow = 3
4405-4407 status-4xx stop
4408 status-408 normal
4409-4420 status-4xx stop
4421 status-421 slow = 3
4422-4424 status-4xx stop
4425 status-425 normal
4426-4428 status-4xx stop
4429 status-429 slow
4430-4499 status-4xx stop
4500 status-5xx normal
4501 status-501 stop
4502 status-5xx normal
4503 status-503 restart normal
4504 status-5xx normal
4505 status-505 stop
4506-4509 status-5xx normal
4510 status-510 stop
4511 status-511 stop
4512-4599 status-5xx normal`);

/** The private codes of `liveblocks`. */
export const liveblocks: Planner = profile(`4000-4099 liveblocks-4000-4099 stop
4100-4199 liveblocks-4100-4199 normal = 1 refresh
4200-4299 liveblocks-4200-4299 normal
4999 liveblocks-4999 stop`);

/** The private codes of `pusher`. */
export const pusher: Planner = profile(`4000-4099 pusher-4000-4099 stop
4100-4199 pusher-4100-4199 restart slow
4200-4299 pusher-4200-4299 fast
4300-4999 pusher-4300-4999 stop`);
