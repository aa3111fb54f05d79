/** What the demonstration prints of the protocol's messages: a few lines each, for people. */
import type { Answer, Birth, Descriptor } from "../host/bus/protocol.js";
import { errorName } from "../host/bus/protocol.js";
import type { Exchange } from "../host/bus/bus-client.js";
import { elementTypes } from "../host/bus/protocol-keys.js";

function describeData(descriptor: Partial<Descriptor>): string {
  const type = Object.entries(elementTypes).find(([, code]) => code === descriptor.elementType)?.[0] ?? "?";
  const unit = descriptor.unit === undefined ? "" : ` ${descriptor.unit}`;
  const labels = descriptor.labels === undefined ? "" : `: ${descriptor.labels.join(", ")}`;
  return `${type}[${descriptor.shape?.join("×") ?? ""}]${unit}${labels}`;
}

export function birthLines(birth: Birth, topic: string): string {
  const models = (birth.models ?? []).map(
    (m) =>
      `model       ${m.name}@${m.version}: ${m.inputs.map(describeData).join(", ")} → ${m.outputs.map(describeData).join(", ")}`,
  );
  const sensors = (birth.sensors ?? []).map(
    (s) => `sensor      ${s.name}: ${s.channels} channels${s.unit === undefined ? "" : `, ${s.unit}`}`,
  );
  return [
    `birth record, retained on ${topic}`,
    `node        ${birth.node}, boot ${birth.boot}, ${birth.software} ${birth.softwareVersion}`,
    `operations  ${birth.operations.join(", ")}`,
    ...sensors,
    ...models,
    `limits      ${birth.maxMsg} bytes a message, ${birth.queue} requests in the queue`,
  ].join("\n");
}

/** Both acknowledgements with their times; the caller adds what the result means. */
export function exchangeLines(exchange: Exchange): string {
  const { request, accepted, acceptedMs, done, doneMs } = exchange;
  const first =
    accepted === undefined || acceptedMs === undefined
      ? "not accepted"
      : `accepted after ${acceptedMs.toFixed(1)} ms by ${accepted.node}`;
  return [
    `→ ${request.operation} (${exchange.size} bytes)`,
    `← ${first}`,
    `← done after ${doneMs.toFixed(1)} ms, ${outcomeOf(done)}${timesOf(done)}`,
  ].join("\n");
}

function outcomeOf(answer: Answer): string {
  if (answer.error === undefined) {
    return "success";
  }
  const { code, text, field } = answer.error;
  return `error ${errorName(code) ?? code}${field === undefined ? "" : ` in ${field}`}${text === undefined ? "" : `: ${text}`}`;
}

function timesOf(answer: Answer): string {
  return answer.executionUs === undefined ? "" : `, executed in ${(answer.executionUs / 1000).toFixed(2)} ms`;
}
