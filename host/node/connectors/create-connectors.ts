/** The connectors of a configuration: its section `connectors`, checked as a whole. Nothing is opened before `start`. */
import { resolve } from "node:path";
import { UserError } from "../../../compiler/diagnostics/user-error.js";
import type { BusConnection } from "../../bus/connection.js";
import type { NodeConfig } from "../config.js";
import type { Log } from "../log.js";
import type { Actuator, Connector, SensorSource } from "./connector.js";
import { GpioConnector } from "./gpio.js";
import { HwmonConnector } from "./hwmon.js";
import { IioConnector } from "./iio.js";
import { MqttConnector } from "./mqtt-devices.js";
import { ReplayConnector } from "./replay.js";

type ConnectorConfig = NodeConfig["connectors"][number];

export interface ConnectorContext {
  /** Of the configuration: relative paths start there. */
  readonly folder: string;
  /** The node's own bus. */
  readonly bus: BusConnection;
  /** To the broker of devices that are elsewhere. */
  readonly connect: (url: string) => Promise<BusConnection>;
  readonly log: Log;
}

/** @throws UserError TMC6601 two devices with one name, TMC6604 a topic that no device may have */
export function createConnectors(
  configs: readonly ConnectorConfig[],
  context: ConnectorContext,
): Connector[] {
  checkNames(configs);
  checkTopics(configs);
  return configs.map((config) => createConnector(config, context));
}

function createConnector(config: ConnectorConfig, context: ConnectorContext): Connector {
  const { folder, log } = context;
  switch (config.kind) {
    case "iio":
      return new IioConnector(resolve(folder, config.root));
    case "hwmon":
      return new HwmonConnector(resolve(folder, config.root));
    case "gpio":
      return new GpioConnector(resolve(folder, config.root), config.lines);
    case "mqtt": {
      const { url } = config;
      const connect = (): Promise<BusConnection> =>
        url === undefined ? Promise.resolve(context.bus) : context.connect(url);
      return new MqttConnector(config, connect, url !== undefined, log);
    }
    case "replay":
      return new ReplayConnector(config.sensors, folder);
  }
}

/** By name; of two devices with one name, found at the start, the first. */
export function sensorsOf(connectors: readonly Connector[]): Map<string, SensorSource> {
  const sensors = new Map<string, SensorSource>();
  for (const sensor of connectors.flatMap((connector) => connector.sensors())) {
    if (!sensors.has(sensor.description.name)) sensors.set(sensor.description.name, sensor);
  }
  return sensors;
}

export function actuatorsOf(connectors: readonly Connector[]): Map<string, Actuator> {
  return new Map(
    connectors
      .flatMap((connector) => connector.actuators())
      .map((actuator): [string, Actuator] => [actuator.name, actuator]),
  );
}

function checkNames(configs: readonly ConnectorConfig[]): void {
  const sensors = new Set<string>();
  const actuators = new Set<string>();
  const add = (names: Set<string>, name: string, what: string): void => {
    if (names.has(name)) {
      throw new UserError(
        "TMC6601",
        `connectors: two ${what} have the name ${name}`,
        "give each a name of its own: requests know them by nothing else",
      );
    }
    names.add(name);
  };
  for (const config of configs) {
    if (config.kind === "gpio") {
      for (const { name, direction } of config.lines) {
        if (direction === "in") add(sensors, name, "sensors");
        else add(actuators, name, "actuators");
      }
    } else if (config.kind === "mqtt") {
      for (const { name } of config.sensors) add(sensors, name, "sensors");
      for (const { name } of config.actuators) add(actuators, name, "actuators");
    } else if (config.kind === "replay") {
      for (const { name } of config.sensors) add(sensors, name, "sensors");
    }
  }
}

function checkTopics(configs: readonly ConnectorConfig[]): void {
  for (const config of configs) {
    if (config.kind !== "mqtt") continue;
    for (const actuator of config.actuators) {
      if (!(actuator.min < actuator.max)) {
        throw new UserError(
          "TMC6604",
          `connectors: mqtt: ${actuator.name}: min ${actuator.min} is not below max ${actuator.max}`,
          "give the range of values that the device takes",
        );
      }
    }
    const topics = [
      ...config.sensors.map(({ name, topic }) => [name, topic] as const),
      ...config.actuators.flatMap(({ name, topic, stateTopic }) =>
        [topic, ...(stateTopic === undefined ? [] : [stateTopic])].map((each) => [name, each] as const),
      ),
    ];
    for (const [name, topic] of topics) {
      // t1/: a device there could speak as a node.
      if (/[+#\0]/.test(topic) || /^(t1\/|\$|\/?$)/.test(topic)) {
        throw new UserError(
          "TMC6604",
          `connectors: mqtt: ${name}: ${JSON.stringify(topic)} is not the topic of a device`,
          "name one topic: no + and #, not below t1/ and not beginning with $",
        );
      }
    }
  }
}
