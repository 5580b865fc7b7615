export type { Heartbeat } from "./connection.js";
export type { Cause, Ending } from "./ending.js";
export type { Data, DownEvent, EndEvent, UpEvent } from "./events.js";
export type { Decision, History, Outcome, Planner, PolicyOptions, Stop } from "./policy/decide.js";
export type { Delay, DelayClass, Plan } from "./policy/row.js";
export type { QueueLimits } from "./queue.js";
export {
	type Attempt,
	type EventMap,
	type Opening,
	type Options,
	type Probe,
	type Probed,
	type Provider,
	RevoirSocket,
} from "./socket.js";
