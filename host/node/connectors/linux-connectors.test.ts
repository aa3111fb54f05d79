/** Connectors of Linux devices on a folder that looks like sysfs. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperationFailure } from "../operations/operation.js";
import { NodeSettings } from "../settings.js";
import { actuatorSettings } from "./actuator-settings.js";
import type { Connector, SensorSource } from "./connector.js";
import { GpioConnector } from "./gpio.js";
import { HwmonConnector } from "./hwmon.js";
import { IioConnector } from "./iio.js";
import { freeName, protocolName } from "./names.js";

let root = "";
const never = new AbortController().signal;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tmc-sysfs-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function attributes(folder: string, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const file = join(root, folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${value}\n`);
  }
}

function sensor(connector: Connector, name: string): SensorSource {
  const found = connector.sensors().find((each) => each.description.name === name);
  if (found === undefined) {
    throw new Error(`no ${name} in ${connector.sensors().map((s) => s.description.name)}`);
  }
  return found;
}

async function sample(connector: Connector, name: string): Promise<number[]> {
  const { description, collect } = sensor(connector, name);
  const window = await collect(1, description.rate ?? 1, never);
  return Array.from(window.samples);
}

describe("iio", () => {
  it("groups axes, applies offset and scale, and converts units", async () => {
    attributes("iio:device0", {
      name: "bmi160",
      in_accel_x_raw: "1000",
      in_accel_y_raw: "-500",
      in_accel_z_raw: "4000",
      in_accel_scale: "0.0025",
      in_accel_sampling_frequency: "100.000000",
      in_anglvel_x_raw: "10",
      in_anglvel_x_scale: "0.5",
      in_anglvel_x_offset: "2",
      in_magn_x_raw: "1",
      in_magn_scale: "0.25",
      in_timestamp_en: "1",
    });
    attributes("iio:device1", {
      name: "BME 280",
      in_temp_input: "21550",
      in_pressure_input: "101.325",
      in_humidityrelative_input: "45000",
      in_voltage0_raw: "2048",
      in_voltage1_raw: "100",
      in_voltage_scale: "0.5",
      "in_voltage0-voltage1_raw": "7",
    });
    const connector = new IioConnector(root);
    await connector.start();
    expect(sensor(connector, "bmi160.accel").description).toEqual({
      name: "bmi160.accel",
      channels: 3,
      unit: "m/s2",
      rate: 10,
      highestRate: 100,
      channelNames: ["x", "y", "z"],
    });
    expect(await sample(connector, "bmi160.accel")).toEqual([2.5, -1.25, 10]);
    expect(await sample(connector, "bmi160.anglvel")).toEqual([6]);
    expect(await sample(connector, "bmi160.magn")).toEqual([25]);
    expect(await sample(connector, "bme-280.temp")).toEqual([Math.fround(21.55)]);
    expect(await sample(connector, "bme-280.pressure")).toEqual([Math.fround(101.325)]);
    expect(await sample(connector, "bme-280.humidityrelative")).toEqual([45]);
    expect((await sample(connector, "bme-280.voltage0"))[0]).toBeCloseTo(1.024, 6);
    expect((await sample(connector, "bme-280.voltage1"))[0]).toBeCloseTo(0.05, 6);
    expect(sensor(connector, "bme-280.voltage0-voltage1").description.unit).toBe("V");
    expect(connector.sensors()).toHaveLength(9);
  });

  it("takes a window at the rate, and counts what a slow device loses", async () => {
    attributes("iio:device0", { name: "adc", in_voltage0_raw: "1" });
    const connector = new IioConnector(root);
    await connector.start();
    const startedAt = performance.now();
    const window = await sensor(connector, "adc.voltage0").collect(11, 100, never);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(99);
    expect(window.samples).toHaveLength(11);
    expect(window.frames).toBe(11);
    expect(window.lost).toBeLessThan(10);
  });

  it("ends at its deadline, and refuses impossible wishes", async () => {
    attributes("iio:device0", { name: "adc", in_voltage0_raw: "1" });
    const connector = new IioConnector(root);
    await connector.start();
    const source = sensor(connector, "adc.voltage0");
    const late = AbortSignal.timeout(20);
    await expect(source.collect(100, 1, late)).rejects.toMatchObject({ code: "deadline" });
    const cancelled = AbortSignal.abort(new OperationFailure("cancelled", "by the requester"));
    await expect(source.collect(1, 1, cancelled)).rejects.toMatchObject({ code: "cancelled" });
    for (const [frames, rate, field] of [
      [0, 1, "arguments.frames"],
      [100_001, 1, "arguments.frames"],
      [1.5, 1, "arguments.frames"],
      [1, 0, "arguments.rate"],
      [1, Number.NaN, "arguments.rate"],
      [1, 501, "arguments.rate"],
    ] as const) {
      await expect(source.collect(frames, rate, never)).rejects.toMatchObject({ code: "bad-request", field });
    }
  });

  it("survives what is in the files: text, much text, pipes, folders, nothing", async () => {
    const channels = ["temp", "pressure", "illuminance", "distance", "velocity", "power"];
    attributes(
      "iio:device0",
      Object.fromEntries([["name", "\u0000\u202e../../x"], ...channels.map((c) => [`in_${c}_raw`, "1"])]),
    );
    attributes("iio:device0", { in_temp_scale: "1e999", in_evil_raw: "1", in_constructor_raw: "1" });
    attributes("../not-a-device", {});
    const connector = new IioConnector(root);
    await connector.start();
    expect(connector.sensors().map((s) => s.description.name)).toEqual([
      ...channels.sort().map((c) => `..-..-x.${c}`),
    ]);
    const file = (channel: string): string => join(root, "iio:device0", `in_${channel}_raw`);
    writeFileSync(file("temp"), "Infinity");
    writeFileSync(file("pressure"), "1".repeat(1_000_000));
    writeFileSync(file("distance"), "");
    rmSync(file("illuminance"));
    rmSync(file("velocity"));
    mkdirSync(file("velocity"));
    rmSync(file("power"));
    execFileSync("mkfifo", [file("power")]);
    for (const channel of channels) {
      await expect(sample(connector, `..-..-x.${channel}`), channel).rejects.toMatchObject({
        code: "function-failed",
      });
    }
  });

  it("says when there is no such folder", async () => {
    const connector = new IioConnector(join(root, "absent"));
    await expect(connector.start()).rejects.toMatchObject({ code: "TMC6602" });
  });
});

describe("hwmon", () => {
  it("reads every kind in base units, by label", async () => {
    attributes("hwmon0", { name: "coretemp", temp1_input: "48000", temp1_label: "Package id 0" });
    attributes("hwmon1", {
      name: "nct6775",
      in0_input: "1032",
      fan1_input: "1200",
      power1_input: "15500000",
      temp1_input: "-5500",
      temp1_max: "80000",
      pwm1: "128",
    });
    attributes("hwmon10", { name: "coretemp", temp1_input: "50000", temp1_label: "Package id 0" });
    const connector = new HwmonConnector(root);
    await connector.start();
    expect(connector.sensors().map((s) => s.description.name)).toEqual([
      "coretemp.package-id-0",
      "nct6775.fan1",
      "nct6775.in0",
      "nct6775.power1",
      "nct6775.temp1",
      "coretemp.package-id-0-2",
    ]);
    expect(await sample(connector, "coretemp.package-id-0")).toEqual([48]);
    expect(await sample(connector, "nct6775.fan1")).toEqual([1200]);
    expect((await sample(connector, "nct6775.in0"))[0]).toBeCloseTo(1.032, 6);
    expect(await sample(connector, "nct6775.power1")).toEqual([15.5]);
    expect(await sample(connector, "nct6775.temp1")).toEqual([-5.5]);
    expect(sensor(connector, "nct6775.temp1").description.unit).toBe("Cel");
  });
});

describe("gpio", () => {
  const lines = [
    { name: "door", line: 4, direction: "in" },
    { name: "relay", line: 17, direction: "out" },
  ] as const;

  it("reads inputs and switches outputs, also as settings", async () => {
    attributes("gpio4", { value: "1", direction: "out" });
    attributes("gpio17", { value: "1", direction: "in" });
    const connector = new GpioConnector(root, lines);
    await connector.start();
    expect(readFileSync(join(root, "gpio4/direction"), "utf8")).toBe("in");
    // The relay that was on stays on.
    expect(readFileSync(join(root, "gpio17/direction"), "utf8")).toBe("high");
    expect(await sample(connector, "door")).toEqual([1]);

    const settings = new NodeSettings(join(root, "state"));
    for (const setting of actuatorSettings([connector])) await settings.register(setting);
    expect(await settings.values()).toEqual({ "actuator.relay": 1 });
    await settings.change({ "actuator.relay": false });
    expect(readFileSync(join(root, "gpio17/value"), "utf8")).toBe("0");
    for (const value of [2, 0.5, -1, Number.NaN, "1"]) {
      await expect(settings.change({ "actuator.relay": value })).rejects.toMatchObject({
        code: "bad-request",
      });
    }
    for (const name of ["actuator.door", "relay", "actuator.", "actuator.__proto__"]) {
      await expect(settings.change({ [name]: 1 })).rejects.toMatchObject({ code: "not-found" });
    }
    rmSync(join(root, "gpio17"), { recursive: true });
    await expect(settings.change({ "actuator.relay": 1 })).rejects.toMatchObject({ code: "function-failed" });
    expect(await settings.values()).toEqual({ "actuator.relay": "unknown" });
  });

  it("asks the kernel for a line, and says when it does not come", async () => {
    attributes(".", { export: "" });
    const connector = new GpioConnector(root, [lines[0]]);
    await expect(connector.start()).rejects.toMatchObject({ code: "TMC6602" });
    expect(readFileSync(join(root, "export"), "utf8")).toBe("4");
    await expect(new GpioConnector(join(root, "absent"), lines).start()).rejects.toMatchObject({
      code: "TMC6602",
    });
  });
});

describe("names of devices", () => {
  it("are names of the protocol, and differ", () => {
    expect(protocolName("Core Temp:°C!")).toBe("core-temp-c");
    expect(protocolName("°")).toBe("device");
    expect(protocolName("x".repeat(40))).toHaveLength(32);
    const taken = new Set<string>();
    const names = [1, 2, 3].map(() => freeName("y".repeat(40), taken));
    expect(new Set(names).size).toBe(3);
    expect(names.every((name) => /^[a-z0-9._-]{1,32}$/.test(name))).toBe(true);
  });
});
