/** What two linked images differ in, buffers that users size and the model apart; as a page. It builds nothing. */
import { readdirSync } from "node:fs";
import type { ElfFile } from "../compiler/board/elf.js";
import type { Contribution } from "../compiler/board/link-map.js";
import { packagePath } from "../compiler/board/package-root.js";

export interface Bytes {
  readonly flash: number;
  readonly ram: number;
}

/** Bytes that the node may add. */
export const targets: Bytes = { flash: 12 * 1024, ram: 4 * 1024 };

/** A part of an image that is as large as its user wants. */
export interface ApartPart {
  readonly name: string;
  readonly has: (contribution: Contribution) => boolean;
}

const object = (contribution: Contribution): string =>
  /([^/(]+)\.c\.obj\)?$/.exec(contribution.file)?.[1] ?? contribution.file;
const inObject =
  (file: string, section: RegExp) =>
  (contribution: Contribution): boolean =>
    object(contribution) === file && section.test(contribution.input);
const kernels = new Set(
  readdirSync(packagePath("runtime-c", "kernels")).map((file) => file.replace(/\.c$/, "")),
);

/** By name: what is counted apart in the node, and in the bare application. */
export const apart: { readonly node: readonly ApartPart[]; readonly bare: readonly ApartPart[] } = {
  node: [
    {
      name: "model: weights and code",
      has: (c) => object(c).startsWith("model_") && !/^\.bss/.test(c.input),
    },
    { name: "model: kernels", has: (c) => kernels.has(object(c)) },
    { name: "model: tensors", has: (c) => object(c).startsWith("model_") && /^\.bss/.test(c.input) },
    { name: "model: window of the sensor", has: inObject("app", /^\.bss\..*_operations_\d+_window$/) },
    { name: "sensor rings (`TMC_SENSOR_RING_FRAMES`)", has: inObject("sensor", /^\.bss\.slots/) },
    { name: "sampling stack (`TMC_SENSOR_STACK_SIZE`)", has: inObject("sensor", /noinit/) },
    { name: "message (`TMC_MESSAGE_MAX`)", has: inObject("bus", /^\.bss\.payload_bytes/) },
    {
      name: "MQTT and will (`TMC_TOPIC_MAX`, `TMC_WILL_MAX`)",
      has: (c) => inObject("bus", /^\.bss\.[rt]x_buffer/)(c) || inObject("greeting", /^\.bss\.will/)(c),
    },
    { name: "offline queue (`TMC_OUTBOX_SIZE`)", has: inObject("outgoing", /^\.bss\.kept_bytes/) },
    { name: "credentials (`TMC_CREDENTIAL_MAX`)", has: (c) => isCredential(c) },
    { name: "stored setting (`TMC_STORAGE_VALUE_MAX`)", has: inObject("storage", /^\.bss\.kv_value/) },
    { name: "sending (`TMC_SEND_CHUNK`)", has: inObject("transport", /^\.bss\.staged/) },
    {
      name: "request and answer (`message: 1024`)",
      has: inObject("app", /_dispatcher_(request_reader|answer_writer)_buffer$/),
    },
    { name: "answers kept (`answers: 4096`)", has: inObject("app", /_dispatcher_cache_bytes$/) },
    { name: "values collected (`DataCollect`: 216)", has: inObject("app", /_operations_\d+_values$/) },
    { name: "requests kept (`jobs: 4`)", has: (c) => /_dispatcher_jobs_\d+_bytes$/.test(c.input) },
  ],
  bare: [
    { name: "message", has: inObject("main", /^\.bss\.payload/) },
    { name: "MQTT", has: inObject("main", /^\.bss\.[rt]x_buffer/) },
    {
      name: "credentials",
      has: (c) => inObject("main", /^\.(data|bss)\.credentials/)(c) || inObject("more", /^\.bss\.der$/)(c),
    },
    { name: "offline queue", has: inObject("more", /^\.bss\.kept$/) },
  ],
};

function isCredential(contribution: Contribution): boolean {
  return (
    inObject("tls", /^\.bss\.credential/)(contribution) ||
    inObject("provision", /^\.bss\.value$/)(contribution)
  );
}

export interface Measured {
  readonly total: Bytes;
  /** Those above 0 bytes. */
  readonly apart: readonly (Bytes & { readonly name: string })[];
  /** By object or archive member. */
  readonly objects: ReadonlyMap<string, Bytes>;
}

const ramBegins = 0x20000000;
const none: Bytes = { flash: 0, ram: 0 };
const plus = (a: Bytes, b: Bytes): Bytes => ({ flash: a.flash + b.flash, ram: a.ram + b.ram });
const minus = (a: Bytes, b: Bytes): Bytes => ({ flash: a.flash - b.flash, ram: a.ram - b.ram });

/** `elf` and `map` are of one image for a microcontroller. */
export function measure(elf: ElfFile, map: readonly Contribution[], parts: readonly ApartPart[]): Measured {
  const sections = elf.sections.filter((section) => section.allocated && section.size > 0);
  const cost = (section: { address: number; loaded: boolean } | undefined, size: number): Bytes =>
    section === undefined
      ? none
      : { flash: section.loaded ? size : 0, ram: section.address >= ramBegins ? size : 0 };
  const byName = new Map(sections.map((section) => [section.name, section]));
  const objects = new Map<string, Bytes>();
  const sums = new Map(parts.map(({ name }) => [name, none]));
  for (const contribution of map) {
    const bytes = cost(byName.get(contribution.output), contribution.size);
    const name = contribution.input === "*fill*" ? "(padding)" : shortName(contribution.file);
    objects.set(name, plus(objects.get(name) ?? none, bytes));
    const part = parts.find(({ has }) => has(contribution));
    if (part !== undefined) sums.set(part.name, plus(sums.get(part.name) ?? none, bytes));
  }
  return {
    total: sections.reduce((sum, section) => plus(sum, cost(section, section.size)), none),
    apart: [...sums].map(([name, bytes]) => ({ name, ...bytes })).filter(({ flash, ram }) => flash + ram > 0),
    objects,
  };
}

/** `libapp.a(bus.c.obj)`: as `bus.c`; Zephyr's archives keep their names: `mbedTLS: ssl_tls.c`. */
function shortName(file: string): string {
  const member = /([^/]+)\.a\(([^)]+)\)$/.exec(file);
  if (member === null) return file.replace(/^.*\//, "");
  const archive = (member[1] ?? "").replace(/^lib/, "");
  const source = (member[2] ?? "").replace(/\.obj$/, "");
  return archive === "app" ? source : `${archive.replace(/^.*__/, "")}: ${source}`;
}

export interface Comparison {
  readonly node: Measured;
  readonly bare: Measured;
  /** What the node adds, nothing apart. */
  readonly difference: Bytes;
  /** The same without what is counted apart, in both images. */
  readonly added: Bytes;
  /** By object, largest first; negative: the bare application has more. */
  readonly largest: readonly (Bytes & { readonly name: string })[];
}

export function compare(node: Measured, bare: Measured): Comparison {
  const rest = ({ total, apart: parts }: Measured): Bytes => parts.reduce(minus, total);
  const names = [...new Set([...node.objects.keys(), ...bare.objects.keys()])];
  const size = ({ flash, ram }: Bytes): number => Math.abs(flash) + Math.abs(ram);
  return {
    node,
    bare,
    difference: minus(node.total, bare.total),
    added: minus(rest(node), rest(bare)),
    largest: names
      .map((name) => ({ name, ...minus(node.objects.get(name) ?? none, bare.objects.get(name) ?? none) }))
      .filter((difference) => size(difference) > 0)
      .sort((a, b) => size(b) - size(a)),
  };
}

export function withinTargets({ added }: Comparison): boolean {
  return added.flash <= targets.flash && added.ram <= targets.ram;
}

/** RSA in an image: of what Zephyr's TLS sockets bring along, what a node does not have. */
function rsaOf({ objects }: Measured): Bytes {
  return [...objects]
    .filter(([name]) => /: rsa/.test(name))
    .reduce((sum, [, bytes]) => plus(sum, bytes), none);
}

/** Two tables in Markdown. `same`: the comparison with an application that has all network features of the node. */
export function page(
  comparison: Comparison,
  same: Comparison,
  top: number,
): { readonly table: string; readonly largest: string } {
  const number = (value: number): string => value.toLocaleString("en-US");
  const signed = (value: number): string => `${value > 0 ? "+" : ""}${number(value)}`;
  const row = (name: string, { flash, ram }: Bytes, write = number): string =>
    `| ${name} | ${write(flash)} | ${write(ram)} |`;
  const negative = ({ flash, ram }: Bytes): Bytes => ({ flash: 0 - flash, ram: 0 - ram });
  const { node, bare, difference, added, largest } = comparison;
  return {
    table: [
      "| bytes | flash | RAM |",
      "|---|---|---|",
      row("the default node", node.total),
      row("Zephyr alone", bare.total),
      row("difference", difference, signed),
      ...node.apart.map((part) => row(`without the node's ${part.name}`, negative(part), signed)),
      ...bare.apart.map((part) => row(`with Zephyr's own ${part.name}`, part, signed)),
      row("what the node adds", added, signed),
      row(
        "keys made on the device, several brokers, an offline queue, joining again in Zephyr alone too",
        minus(same.added, added),
        signed,
      ),
      row(
        "**what the node adds to the same network features**",
        same.added,
        (value) => `**${signed(value)}**`,
      ),
      row("at most wanted", targets, signed),
      row("RSA in Zephyr alone, which its TLS sockets bring along and a node has not", rsaOf(bare)),
    ].join("\n"),
    largest: [
      "| largest differences | flash | RAM |",
      "|---|---|---|",
      ...largest.slice(0, top).map(({ name, ...bytes }) => row(`\`${name}\``, bytes, signed)),
    ].join("\n"),
  };
}
