export { decide, NO_HISTORY } from "./policy/decide.js";
export { nativePlan } from "./policy/native.js";
export * from "./policy/profiles.js";
export { type Rule, rules } from "./policy/rules.js";
export { decision, type Seen } from "./policy/seen.js";
