import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findBoard } from "../board.js";
import { runZephyr, zephyrCommand, type ZephyrRunOptions } from "./run.js";

function options(board: string, change: Partial<ZephyrRunOptions> = {}): ZephyrRunOptions {
  return {
    board: findBoard(board),
    executable: "/images/zephyr",
    id: "n1",
    server: "mqtt://127.0.0.1:1884",
    stateDir: join(tmpdir(), "tmc-never-made"),
    ...change,
  };
}

describe("zephyrCommand", () => {
  it("gives native_sim its options", () => {
    const { command, args } = zephyrCommand(options("native_sim", { serverId: "edge-2" }));
    expect(command).toBe("/images/zephyr");
    expect(args).toContain("--id=n1");
    expect(args).toContain("--server=mqtt://127.0.0.1:1884");
    expect(args).toContain("--server-id=edge-2");
  });

  it("gives QEMU the same through semihosting, with the host's loopback as QEMU sees it", () => {
    const sensor = "accelerometer=generator:counter,seed=2";
    const { command, args } = zephyrCommand(options("mps2_an386", { sensor }));
    expect(command).toBe("qemu-system-arm");
    const semihosting = args[args.indexOf("-semihosting-config") + 1] ?? "";
    expect(semihosting).toContain("arg=--server=mqtt://10.0.2.2:1884");
    expect(semihosting).toContain("arg=--sensor=accelerometer=generator:counter,,seed=2");
    expect(args).toContain("-nic");
  });

  it("gives nothing that the device was provisioned with", () => {
    const { args } = zephyrCommand({
      board: findBoard("native_sim"),
      executable: "/images/zephyr",
      stateDir: "never-made",
    });
    expect(args).toEqual(["--flash=flash.bin", "--seed-random"]);
  });

  it("takes TLS, with its own port", () => {
    const { args } = zephyrCommand(options("mps2_an386", { server: "mqtts://localhost" }));
    expect(args.join(" ")).toContain("--server=mqtts://10.0.2.2:8883");
  });

  it("leaves other hosts as they are and takes port 1883 unless given", () => {
    const { args } = zephyrCommand(options("mps2_an385", { server: "mqtt://192.0.2.7" }));
    expect(args.join(" ")).toContain("--server=mqtt://192.0.2.7:1883");
  });

  it.each([
    { id: "Node" },
    { id: "" },
    { id: "a".repeat(24) },
    { id: "a,arg=--id=b" },
    { serverId: "über" },
    { server: "http://127.0.0.1" },
    { server: "mqtt://" },
    { server: "mqtt://h:0" },
    { server: "mqtt://h:70000" },
    { server: "mqtt://user:secret@h" },
    { server: "mqtts://user@h" },
  ])("refuses %o", (change) => {
    expect(() => zephyrCommand(options("native_sim", change))).toThrow(
      expect.objectContaining({ code: "TMC5010", exitCode: 3 }),
    );
  });

  it("does not run real hardware", () => {
    expect(() => zephyrCommand(options("b_l4s5i_iot01a"))).toThrow(
      expect.objectContaining({ code: "TMC5009" }),
    );
  });
});

describe("runZephyr", () => {
  it("names an executable that is not there", async () => {
    const executable = join(tmpdir(), "tmc-no-such-image");
    await expect(runZephyr(options("native_sim", { executable, stateDir: tmpdir() }))).rejects.toMatchObject({
      code: "TMC5008",
    });
  });
});
