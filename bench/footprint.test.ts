/** The footprint's arithmetic: what is counted apart in both images, what remains, and whether it is within the target. */
import { expect, it } from "vitest";
import type { ElfFile } from "../compiler/board/elf.js";
import type { Contribution } from "../compiler/board/link-map.js";
import { apart, compare, measure, page, targets, withinTargets } from "./footprint-table.js";

const elf = (text: number, data: number, bss: number): ElfFile => ({
  sections: [
    { name: "text", address: 0x08000000, size: text, allocated: true, writable: false, loaded: true },
    { name: "datas", address: 0x20000000, size: data, allocated: true, writable: true, loaded: true },
    { name: "bss", address: 0x20001000, size: bss, allocated: true, writable: true, loaded: false },
    { name: ".debug", address: 0, size: 9999, allocated: false, writable: false, loaded: true },
  ],
  symbols: [],
});
const part = (output: string, input: string, size: number, file: string): Contribution => ({
  output,
  input,
  size,
  file: `app/libapp.a(${file}.c.obj)`,
});

it("counts the model and chosen buffers apart, in both images", () => {
  const node = measure(
    elf(50_000, 100, 20_000),
    [
      part("text", ".text.model_vibration_invoke", 7000, "model_vibration"),
      part("text", ".text.tmc_add", 500, "add"),
      part("text", ".text.zport_bus_poll", 900, "bus"),
      part("bss", ".bss.payload_bytes", 2048, "bus"),
      part("bss", ".bss.app_start_this_dispatcher_jobs_0_bytes", 1024, "app"),
    ],
    apart.node,
  );
  const bare = measure(elf(40_000, 0, 15_000), [part("bss", ".bss.payload", 2048, "main")], apart.bare);
  const comparison = compare(node, bare);
  expect(comparison.difference).toEqual({ flash: 10_100, ram: 5100 });
  expect(comparison.added).toEqual({ flash: 10_100 - 7500, ram: 5100 - 3072 + 2048 });
  expect(comparison.largest[0]).toEqual({ name: "model_vibration.c", flash: 7000, ram: 0 });
  expect(withinTargets(comparison)).toBe(true);
  expect(withinTargets({ ...comparison, added: { flash: 0, ram: targets.ram + 1 } })).toBe(false);
  const more = measure(
    elf(44_000, 0, 20_000),
    [
      part("bss", ".bss.payload", 2048, "main"),
      part("bss", ".bss.kept", 4096, "more"),
      {
        output: "text",
        input: ".text.mbedtls_rsa_private",
        size: 1060,
        file: "x/libmbedTLSBase.a(rsa.c.obj)",
      },
    ],
    apart.bare,
  );
  const { table } = page(comparison, compare(node, more), 2);
  expect(table).toContain("| what the node adds | +2,600 | +4,076 |");
  expect(table).toMatch(/several brokers.* \| -4,000 \| -904 \|/);
  expect(table).toContain(
    "| **what the node adds to the same network features** | **-1,400** | **+3,172** |",
  );
  expect(page(compare(node, more), compare(node, more), 2).table).toMatch(/RSA .* \| 1,060 \| 0 \|/);
});
