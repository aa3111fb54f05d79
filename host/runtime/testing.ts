/** What unit tests of firmware import: the simulated platform, traps, the log. */
export { TmcTrap, setLogSink, bind } from "../../compiler/backend-js/support.js";
export { usePlatform, type HostFunction, type HostPlatform } from "./current-platform.js";
export {
  createSimulatedPlatform,
  SimulatedPlatform,
  type SimulatedPlatformOptions,
} from "./simulated-platform.js";
