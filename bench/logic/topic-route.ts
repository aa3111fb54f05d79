/** Requests by topic: split it, route by verb and channel, answer in JSON. */
import { TextBuffer } from "tmc";

class Channel {
  /** The last reading, in tenths of a unit. */
  value = 0;

  constructor(
    readonly name: string,
    readonly unit: string,
    public limit: i32,
  ) {}
}

const topics: RomArray<string> = [
  "plant/3/get/temperature",
  "plant/12/get/pressure",
  "plant/3/limit/vibration/75",
  "plant/7/get/vibration",
  "plant/128/reset/pressure",
  "plant/3/get/humidity",
  "office/3/get/temperature",
  "plant/41/limit/temperature/310",
];
const channels = [
  new Channel("temperature", "C", 300),
  new Channel("pressure", "kPa", 1100),
  new Channel("vibration", "mm/s", 45),
];
const reply = new TextBuffer(128);

/** The part of the topic between two slashes, counted from 0; "" when there are fewer. */
function part(topic: string, index: i32): string {
  let start = 0;
  for (let i = 0; i < index; i++) {
    const slash = topic.indexOf("/", start);
    if (slash < 0) return "";
    start = slash + 1;
  }
  const end = topic.indexOf("/", start);
  return end < 0 ? topic.slice(start) : topic.slice(start, end);
}

/** The number that a text of digits means; -1 for any other. */
function parseNumber(text: string): i32 {
  if (text.length === 0 || text.length > 9) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function findChannel(name: string): Channel | null {
  for (const channel of channels) if (channel.name === name) return channel;
  return null;
}

function handle(topic: string): void {
  reply.clear();
  const node = parseNumber(part(topic, 1));
  const channel = findChannel(part(topic, 3));
  if (part(topic, 0) !== "plant" || node < 0 || channel === null) {
    reply.write(`{"ok":false,"topic":"${topic}"}`);
    return;
  }
  switch (part(topic, 2)) {
    case "get":
      channel.value = (channel.value * 7 + node * 13 + 11) % 1500;
      reply.write(`{"ok":true,"node":${node},"channel":"${channel.name}","value":${channel.value},`);
      reply.write(`"unit":"${channel.unit}","alarm":${channel.value > channel.limit}}`);
      break;
    case "limit":
      channel.limit = parseNumber(part(topic, 4));
      reply.write(`{"ok":true,"node":${node},"channel":"${channel.name}","limit":${channel.limit}}`);
      break;
    case "reset":
      channel.value = 0;
      reply.write(`{"ok":true,"node":${node}}`);
      break;
    default:
      reply.write(`{"ok":false,"topic":"${topic}"}`);
  }
}

export function main(): void {
  let checksum: u32 = 0;
  for (let round = 0; round < 100; round++) {
    for (const topic of topics) {
      handle(topic);
      const text = reply.toString();
      for (let i = 0; i < text.length; i++) {
        checksum = (checksum << 5) ^ (checksum >>> 27) ^ u32(text.charCodeAt(i));
      }
    }
  }
  log("topic-route", checksum, reply.toString());
}
