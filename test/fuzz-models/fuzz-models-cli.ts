/** `npm run fuzz:models`: damaged models of every format against the importers; see docs/testing.md. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.js";

const help = `usage: npm run fuzz:models -- [options]

Damages whole models of every format (.tflite, TensorFlow.js, ONNX, Keras) and imports them. Each must give a graph or a coded
error, within 5 s of CPU time, without memory growing past 1 GiB. Run I of seed S is always the same. Ends with a line of counts; the
exit code is 0 only without failures.

  --runs N      how many (default 10000)
  --seed S      which campaign (default 1)
  --first I     from this run on (default 0)
  --format F    only "TensorFlow Lite", "TensorFlow.js", "ONNX" or "Keras"
  --help        this text
`;

const text = { type: "string" } as const;
const { values } = parseArgs({
  options: { runs: text, seed: text, first: text, format: text, help: { type: "boolean" } },
});
if (values.help === true) {
  process.stdout.write(help);
  process.exit(0);
}
const number = (value: string | undefined, otherwise: number): number => {
  const given = value === undefined ? otherwise : Number(value);
  if (!Number.isSafeInteger(given) || given < 0) {
    process.stderr.write(`${value} is not a count\n\n${help}`);
    process.exit(64);
  }
  return given;
};
const result = await runCampaign({
  runs: number(values.runs, 10000),
  seed: number(values.seed, 1),
  first: number(values.first, 0),
  ...(values.format === undefined ? {} : { format: values.format }),
});
result.failures.forEach((failure) => process.stdout.write(`${failure}\n`));
const codes = Object.entries(result.errors).sort(([a], [b]) => a.localeCompare(b));
process.stdout.write(`${codes.map(([code, count]) => `${code} ${count}`).join(", ")}\n`);
const errors = codes.reduce((sum, [, count]) => sum + count, 0);
process.stdout.write(
  `${result.runs} runs: ${result.graphs} graphs, ${errors} coded errors, ${result.unwritten} not writable, ${result.failures.length} failures; slowest ${Math.round(result.slowest)} ms of CPU time\n`,
);
process.exit(result.failures.length === 0 ? 0 : 1);
